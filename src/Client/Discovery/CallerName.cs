namespace Groundwork.Client.Discovery;

/// <summary>
/// What this instance calls itself towards those it calls; known when it has registered. Thread-safe.
/// </summary>
internal sealed class CallerName(GroundworkOptions options)
{
    private string text = $"{options.Namespace}/{options.ServiceName}/{options.InstanceId ?? "-"}";

    public string Text => Volatile.Read(ref text);

    public void SetId(string id) => Volatile.Write(ref text, $"{options.Namespace}/{options.ServiceName}/{id}");
}
