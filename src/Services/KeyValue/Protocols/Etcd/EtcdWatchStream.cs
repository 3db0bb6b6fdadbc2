using Groundwork.Kernel.Storage;
using Groundwork.Services.KeyValue.Protocols.Etcd.Messages;

namespace Groundwork.Services.KeyValue.Protocols.Etcd;

/// <summary>
/// The watches of one stream. Requests are taken one after the other; each watch has a task of its own, and they write
/// in turn.
/// </summary>
internal sealed class EtcdWatchStream(EtcdCalls calls, EtcdCall call, CancellationToken ending) : IAsyncDisposable
{
    /// <summary>Stands for the stream as a whole, and for a watch that never began.</summary>
    private const long NoWatch = -1;

    private readonly SemaphoreSlim writing = new(1);
    private readonly Dictionary<long, EtcdWatch> watches = []; // Of the task that takes requests.
    private long nextId;

    public Task TakeAsync(WatchRequest request) => request.RequestUnionCase switch
    {
        WatchRequest.RequestUnionOneofCase.CreateRequest => CreateAsync(request.CreateRequest),
        WatchRequest.RequestUnionOneofCase.CancelRequest => CancelAsync(request.CancelRequest.WatchId),
        WatchRequest.RequestUnionOneofCase.ProgressRequest => SayProgressAsync(),
        _ => Task.CompletedTask,
    };

    /// <summary>Sends an answer; one at a time.</summary>
    public async Task SendAsync(WatchResponse answer)
    {
        await writing.WaitAsync(ending);
        try
        {
            await call.WriteAsync(answer, ending);
        }
        finally
        {
            writing.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var watch in watches.Values) await watch.DisposeAsync();
        writing.Dispose();
    }

    private async Task CreateAsync(WatchCreateRequest request)
    {
        var key = request.Key.IsEmpty ? Google.Protobuf.ByteString.CopyFrom(0) : request.Key;
        var range = EtcdKeys.Range(key, request.RangeEnd);
        var history = calls.HistoryOf(range);
        var head = await history.HeadAsync(ending);
        var caller = await call.NowAsync();
        var refusal = range.IsEmpty ? "etcdserver: watcher range is empty"
            : request.WatchId > 0 && watches.ContainsKey(request.WatchId)
                ? "etcdserver: duplicate watch ID provided on the WatchStream"
            : caller is null || !history.Allows(caller, range)
                ? "etcdserver: permission denied"
            : watches.Count >= EtcdLimits.MaxWatchesPerStream ? EtcdErrors.TooManyRequests.Message
            : null;
        var waiter = refusal is null ? history.Enter(range, call.Context, caller!) : null; // Not null, as asked.
        if (waiter is null)
        {
            await SendAsync(new WatchResponse
            {
                Header = calls.Header(head.Revision), WatchId = NoWatch, Created = true, Canceled = true,
                CancelReason = refusal ?? EtcdErrors.TooManyRequests.Message,
            });
            return;
        }
        var id = request.WatchId > 0 ? request.WatchId : FreeId();
        await SendAsync(new WatchResponse { Header = calls.Header(head.Revision), WatchId = id, Created = true });
        watches[id] = EtcdWatch.Start(
            calls, call, this, history, request, id, range, waiter, head.Revision, ending);
    }

    private async Task CancelAsync(long id)
    {
        if (!watches.Remove(id, out var watch)) return;
        await watch.DisposeAsync();
        var head = await watch.History.HeadAsync(ending);
        await SendAsync(new WatchResponse { Header = calls.Header(head.Revision), WatchId = id, Canceled = true });
    }

    /// <summary>
    /// Up to where all watches have been sent what there was. One whose revisions are others' than those of the rest
    /// hears too little by it, and never too much.
    /// </summary>
    private async Task SayProgressAsync()
    {
        long[] watched = [.. watches.Values.Where(watch => !watch.IsOver).Select(watch => watch.SentUpTo)];
        var sent = watched.Length > 0
            ? watched.Min()
            : await calls.Keys.ReadAsync(reading => reading.Head.Revision, ending);
        await SendAsync(new WatchResponse { Header = calls.Header(sent), WatchId = NoWatch });
    }

    private long FreeId()
    {
        while (watches.ContainsKey(nextId)) nextId++;
        return nextId++;
    }
}

/// <summary>One watch: what has changed in a range, from a revision on, whole revisions in their order.</summary>
internal sealed class EtcdWatch : IAsyncDisposable
{
    private readonly EtcdCalls calls;
    private readonly EtcdCall call;
    private readonly EtcdWatchStream stream;
    private readonly WatchCreateRequest request;
    private readonly long id;
    private readonly KeyRange range;
    private readonly Watching.KeyWaiter waiter;
    private readonly CancellationTokenSource ending;
    private Task running = Task.CompletedTask;
    private long sentUpTo; // Written by the watch's task.
    private bool isOver; // The same.

    private EtcdWatch(
        EtcdCalls calls, EtcdCall call, EtcdWatchStream stream, IEtcdHistory history, WatchCreateRequest request,
        long id, KeyRange range, Watching.KeyWaiter waiter, long sentUpTo, CancellationToken ending)
    {
        History = history;
        (this.calls, this.call, this.stream, this.request, this.id) = (calls, call, stream, request, id);
        (this.range, this.waiter, this.sentUpTo) = (range, waiter, sentUpTo);
        this.ending = CancellationTokenSource.CreateLinkedTokenSource(ending);
    }

    public IEtcdHistory History { get; }

    /// <summary>Everything up to this revision has been sent.</summary>
    public long SentUpTo => Volatile.Read(ref sentUpTo);

    /// <summary>True once it has ended by itself.</summary>
    public bool IsOver => Volatile.Read(ref isOver);

    /// <param name="now">The revision that the client was told when it began.</param>
    public static EtcdWatch Start(
        EtcdCalls calls, EtcdCall call, EtcdWatchStream stream, IEtcdHistory history, WatchCreateRequest request,
        long id, KeyRange range, Watching.KeyWaiter waiter, long now, CancellationToken ending)
    {
        var watch = new EtcdWatch(
            calls, call, stream, history, request, id, range, waiter,
            request.StartRevision > 0 ? request.StartRevision - 1 : now, ending);
        watch.running = Task.Run(watch.RunAsync, CancellationToken.None);
        return watch;
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        await running;
        waiter.Dispose();
        ending.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            var head = await History.HeadAsync(ending.Token);
            if (SentUpTo + 1 < head.Compacted) await EndAsync(head.Compacted, "");
            else if (History.IsOfOneNode && SentUpTo > head.Revision) await EndAsync(head.Revision, "");
            else await FollowAsync();
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The watch, the stream or the node ends.
        }
        catch (Exception failure) when (failure is StorageException or IOException or KeyValueRefusal)
        {
            // The client begins again where this one ended; without a stream nobody hears of it.
            if (!ending.IsCancellationRequested) await TryEndAsync("etcdserver: request timed out");
        }
        finally
        {
            Volatile.Write(ref isOver, true);
        }
    }

    private async Task FollowAsync()
    {
        while (true)
        {
            var batch = await History.ReadAsync(range, SentUpTo + 1, request.PrevKv, ending.Token);
            if (await call.NowAsync() is not { } principal || !History.Allows(principal, range))
            {
                await EndAsync(0, EtcdErrors.PermissionDenied.Message);
                return;
            }
            // What it has not been sent may be gone; what was just compacted is there for as long as it takes.
            if (SentUpTo + 1 < batch.Head.Purged)
            {
                await EndAsync(batch.Head.Purged, "");
                return;
            }
            await SendAsync(batch, [.. batch.Events.Where(one => Passes(one) && History.Allows(principal, one))]);
            if (!batch.More) await WaitAsync();
        }
    }

    private async Task SendAsync(EtcdBatch batch, Event[] events)
    {
        var answer = new WatchResponse { WatchId = id };
        var bytes = 0;
        for (var at = 0; at < events.Length; at++)
        {
            var next = events[at];
            answer.Events.Add(next);
            bytes += next.CalculateSize();
            var revision = next.Kv.ModRevision;
            if (at + 1 == events.Length || bytes < EtcdLimits.WatchAnswerBytes
                || events[at + 1].Kv.ModRevision == revision)
                continue;
            await SendAsync(answer, revision);
            answer = new WatchResponse { WatchId = id };
            bytes = 0;
        }
        if (answer.Events.Count > 0) await SendAsync(answer, batch.UpTo);
        Volatile.Write(ref sentUpTo, batch.UpTo);
    }

    // A client goes on after the revision that it was told last, so that nothing before it may be unsent.
    private async Task SendAsync(WatchResponse answer, long upTo)
    {
        answer.Header = calls.Header(upTo);
        await stream.SendAsync(answer);
        Volatile.Write(ref sentUpTo, upTo);
    }

    private async Task WaitAsync()
    {
        if (!request.ProgressNotify)
        {
            await waiter.WaitAsync(ending.Token);
            return;
        }
        using var silence = new CancellationTokenSource(EtcdLimits.ProgressInterval, calls.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, silence.Token);
        try
        {
            await waiter.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            await SendAsync(new WatchResponse { WatchId = id }, SentUpTo);
        }
    }

    private async Task EndAsync(long floor, string why)
    {
        var now = (await History.HeadAsync(ending.Token)).Revision;
        await stream.SendAsync(new WatchResponse
        {
            Header = calls.Header(now), WatchId = id, Canceled = true, CompactRevision = floor, CancelReason = why,
        });
    }

    private async Task TryEndAsync(string why)
    {
        try
        {
            await stream.SendAsync(new WatchResponse
            {
                Header = calls.Header(SentUpTo), WatchId = id, Canceled = true, CancelReason = why,
            });
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // The stream is gone with it.
        }
    }

    private bool Passes(Event happened) => !request.Filters.Contains(
        happened.Type == Event.Types.EventType.Delete
            ? WatchCreateRequest.Types.FilterType.Nodelete
            : WatchCreateRequest.Types.FilterType.Noput);
}
