using System.Net;

namespace Groundwork.Benchmarks.Client;

/// <summary>
/// Answers when it is told to, on the thread that tells it: a call through it waits as a real one does, and all it
/// costs is on one thread. It looks at the address and listens to the token, as the handler that sends does.
/// </summary>
public sealed class HeldHandler : HttpMessageHandler
{
    private static readonly byte[] Body = "{\"id\":7,\"name\":\"A kettle\"}"u8.ToArray();

    private TaskCompletionSource<HttpResponseMessage> answer = new();
    private CancellationTokenRegistration listening;
    private int seen;

    public void Release()
    {
        listening.Dispose();
        var waiting = answer;
        answer = new TaskCompletionSource<HttpResponseMessage>();
        waiting.SetResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent(Body) });
    }

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        seen += (request.RequestUri?.IdnHost.Length ?? 0) + (request.RequestUri?.PathAndQuery.Length ?? 0);
        listening = cancellationToken.UnsafeRegister(
            static waiting => (waiting as TaskCompletionSource<HttpResponseMessage>)?.TrySetCanceled(), answer);
        return answer.Task;
    }

    /// <summary>What it looked at, so that nothing of it is left out by the compiler.</summary>
    public int Seen => seen;
}
