namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>How a request to the origin ended for those who wait for it.</summary>
internal enum FlightEnd
{
    /// <summary>Its answer is kept, and may be for them.</summary>
    Kept,

    /// <summary>Its answer is for nobody else: they ask for themselves, all at once.</summary>
    NotShared,

    /// <summary>There was none: the next of them asks.</summary>
    Failed,
}

/// <summary>One request to the origin, for which others wait that want the same.</summary>
internal sealed class Flight
{
    private readonly TaskCompletionSource<FlightEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<FlightEnd> End => end.Task;

    public void Complete(FlightEnd how) => end.TrySetResult(how);
}
