using Groundwork.Kernel.Security;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Kernel.Hosting.Streaming;

/// <summary>
/// One stream for all that a reader wants to hear of: the tab of a browser has few connections, and one place where it
/// goes on.
/// </summary>
/// <param name="stopping">Ends when the listeners begin to close; readers resume elsewhere.</param>
internal sealed class EventsApi(
    IList<IEventSource> sources, Authorizer authorizer, TimeProvider time, CancellationToken stopping)
{
    public void Map(IEndpointRouteBuilder endpoints) => endpoints
        .MapGroup(Listeners.ApiRoot)
        .WithTags("Watch")
        .MapGet("/events", FollowAsync)
        .RequiresPrincipal("delivers what the principal may read, asked anew when roles change")
        .Describe<WatchEvent>(
            "followEvents",
            "Server-sent events of several sources in one stream: change, progress, access, service, receipt.",
            "text/event-stream")
        .ReadsHeader("Last-Event-ID", "The id of the last change or progress seen; the same as token.");

    private async Task FollowAsync(HttpContext context, string[]? source, string? token, long? after)
    {
        var wanted = sources.Where(one => source is null or [] || source.Contains(one.Name));
        if (source?.FirstOrDefault(name => sources.All(one => one.Name != name)) is { } unknown)
        {
            await Problems.WriteAsync(context, new Fault(
                ErrorCodes.BadRequest,
                $"There is no source '{unknown}'; there are {string.Join(", ", sources.Select(one => one.Name))}."));
            return;
        }
        using var stream = new EventStream(context, token, after, authorizer, time);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        var deliveries = wanted.Select(one => one.DeliverAsync(stream, ending.Token)).ToArray();
        var beat = stream.BeatAsync(ending.Token);
        var first = await Task.WhenAny(deliveries);
        await ending.CancelAsync();
        // All have to be done with the answer before it ends.
        await Task.WhenAll([.. deliveries, beat]).ContinueWith(
            _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        if (first.IsCompletedSuccessfully) await stream.FailAsync(await first);
        else if (!first.IsCanceled) await first;
    }
}
