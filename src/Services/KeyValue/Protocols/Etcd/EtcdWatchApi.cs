using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;
using Microsoft.AspNetCore.Routing;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>etcd's service <c>Watch</c>: any number of watches on one stream.</summary>
internal sealed class EtcdWatchApi(EtcdCalls calls)
{
    public void Map(IEndpointRouteBuilder endpoints) => calls.Stream(endpoints, "Watch/Watch", WatchAsync);

    private async Task WatchAsync(EtcdCall call)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(call.Aborted, calls.Stopping);
        await using var stream = new EtcdWatchStream(calls, call, ending.Token);
        try
        {
            await call.AcceptAsync();
            while (await call.ReadAsync(WatchRequest.Parser, ending.Token) is { } request)
                await stream.TakeAsync(request);
        }
        catch (OperationCanceledException) when (calls.Stopping.IsCancellationRequested)
        {
            throw EtcdErrors.Stopped;
        }
    }
}
