using System.Globalization;
using System.Net;
using Groundwork.Client.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Groundwork.Client.Tests.Calls;

/// <summary>What a call by name allocates beside a bare one, with the usual policy and nobody who listens to spans.
/// </summary>
public sealed class CallCostTests
{
    /// <summary>The promise; a build with debugging has its state machines on the heap, and larger.</summary>
#if DEBUG
    private const double MaxExtraBytes = 1350;
#else
    private const double MaxExtraBytes = 1024;
#endif

    [Fact]
    public async Task A_resolved_call_allocates_little_more_than_a_bare_one()
    {
        await using var platform = await PlatformStub.StartAsync();
        platform.PublishService(platform.Service("catalog", 2, [.. Enumerable.Range(8001, 10)]));
        await using var host = await ClientHost.StartAsync(platform.Address);
        var services = host.App.Services.GetRequiredService<GroundworkServices>();
        Assert.Equal(10, (await services.FindAsync("catalog")).Count);
        using var bareHandler = new HeldHandler();
        using var bare = new HttpClient(bareHandler);
        using var handler = new HeldHandler();
        using var resolved = new HttpClient(services.CreateHandler(handler));

        var bareBytes = BytesOfCall(bare, bareHandler, "http://10.0.0.1:8001/products/");
        var bytes = BytesOfCall(resolved, handler, "http://catalog/products/");

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{bareBytes:0} and {bytes:0} bytes, {bytes - bareBytes:0} more");
        Assert.InRange(bytes - bareBytes, 0, MaxExtraBytes);
    }

    // All of it is on this thread: the call waits for its answer, and goes on inside Release.
    private static double BytesOfCall(HttpClient client, HeldHandler handler, string address)
    {
        const int calls = 2_000;
        for (var i = 0; i < calls; i++) Call(i);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < calls; i++) Call(i);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)calls;

        void Call(int product)
        {
            var call = client.GetStringAsync(string.Create(CultureInfo.InvariantCulture, $"{address}{product}"));
            handler.Release();
            Assert.True(call.IsCompletedSuccessfully);
        }
    }

    /// <summary>
    /// Answers when it is told to, on the thread that tells it. Until then it looks at the address and listens to the
    /// token, as the one that sends does.
    /// </summary>
    private sealed class HeldHandler : HttpMessageHandler
    {
        private TaskCompletionSource<HttpResponseMessage> answer = new();
        private CancellationTokenRegistration listening;

        public void Release()
        {
            listening.Dispose();
            var waiting = answer;
            answer = new TaskCompletionSource<HttpResponseMessage>();
            waiting.SetResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new ByteArrayContent("{}"u8.ToArray()),
            });
        }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.NotEmpty(request.RequestUri!.IdnHost); // HttpClient sends none without an address.
            Assert.NotEmpty(request.RequestUri.PathAndQuery);
            listening = cancellationToken.UnsafeRegister(
                static waiting => ((TaskCompletionSource<HttpResponseMessage>)waiting!).TrySetCanceled(), answer);
            return answer.Task;
        }
    }
}
