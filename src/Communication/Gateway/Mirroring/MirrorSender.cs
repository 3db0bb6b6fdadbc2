using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Delivery;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Wire.Http1;
using Microsoft.Extensions.Logging;

namespace Groundwork.Communication.Gateway.Mirroring;

/// <summary>
/// Sends copies of requests, a few at a time, from a bounded queue, and throws their answers away. What does not fit is
/// dropped and counted.
/// </summary>
internal sealed partial class MirrorSender : IAsyncDisposable
{
    /// <summary>Copies that wait: at 64 KiB each 64 MiB at the very most.</summary>
    private const int MaxWaiting = 1_000;

    /// <summary>Bytes of all bodies that wait.</summary>
    private const long MaxWaitingBytes = 64L * 1024 * 1024;

    /// <summary>Copies under way at once.</summary>
    private const int Workers = 16;

    /// <summary>Bytes of an answer that are read so that its connection can be kept; what is longer is cut.</summary>
    private const long MaxAnswerBytes = 64 * 1024;

    /// <summary>One copy, from its connection to the end of its answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Its connection alone, as of other requests.</summary>
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(1);

    private static readonly HeadLimits AnswerHeads = new(LineBytes: 8 * 1024, FieldsBytes: 64 * 1024, Fields: 256);

    private readonly Channel<Job> jobs = Channel.CreateBounded<Job>(
        new BoundedChannelOptions(MaxWaiting) { FullMode = BoundedChannelFullMode.Wait });
    private readonly InstanceChooser chooser;
    private readonly InstancePools pools;
    private readonly TimeProvider time;
    private readonly ILogger<MirrorSender> logger;
    private readonly Meter meter = new(GatewayCounters.MeterName);
    private readonly Counter<long> sentCounter;
    private readonly Counter<long> failedCounter;
    private readonly Counter<long> droppedCounter;
    private readonly CancellationTokenSource stopping = new();
    private readonly Task[] working;
    private long waitingBytes; // Interlocked.
    private long sent; // Interlocked.
    private long failed; // Interlocked.
    private long dropped; // Interlocked.

    public MirrorSender(InstanceChooser chooser, InstancePools pools, TimeProvider time, ILogger<MirrorSender> logger)
    {
        this.chooser = chooser;
        this.pools = pools;
        this.time = time;
        this.logger = logger;
        sentCounter = meter.CreateCounter<long>("gateway.mirror.sent", description: "Copies that were answered.");
        failedCounter = meter.CreateCounter<long>("gateway.mirror.failed", description: "Copies that were not.");
        droppedCounter = meter.CreateCounter<long>(
            "gateway.mirror.dropped", description: "Copies that were not sent: too many wait, or a body is too large.");
        working = [.. Enumerable.Range(0, Workers).Select(_ => Task.Run(WorkAsync))];
    }

    public long Sent => Interlocked.Read(ref sent);

    public long Failed => Interlocked.Read(ref failed);

    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>Copies that wait, and bytes of them.</summary>
    public (int Copies, long Bytes) Waiting => (jobs.Reader.Count, Interlocked.Read(ref waitingBytes));

    /// <summary>Takes a copy of a request that is over; never waits.</summary>
    public void Send(Exchange exchange, Target target, byte[] body)
    {
        if (Interlocked.Read(ref waitingBytes) + body.Length > MaxWaitingBytes
            || !chooser.Choose(new Destination(target, null, null), false, exchange.Now).TryGet(out var call, out _))
        {
            Drop();
            return;
        }
        var authority = pools.Of(call.Upstream).Authority;
        var head = new byte[RequestForm.RoomFor(exchange, authority)];
        var length = RequestForm.Write(exchange, authority, head, body.Length);
        byte[] message = [.. head.AsSpan(0, length), .. body];
        Interlocked.Add(ref waitingBytes, message.Length);
        if (jobs.Writer.TryWrite(new Job(call, message, exchange.Request.Method))) return;
        Interlocked.Add(ref waitingBytes, -message.Length);
        call.End();
        Drop();
    }

    /// <summary>Counts a copy that is not sent.</summary>
    public void Drop()
    {
        Interlocked.Increment(ref dropped);
        droppedCounter.Add(1);
    }

    public async ValueTask DisposeAsync()
    {
        jobs.Writer.TryComplete();
        while (jobs.Reader.TryRead(out var job)) job.Call.End();
        await stopping.CancelAsync();
        await Task.WhenAll(working);
        stopping.Dispose();
        meter.Dispose();
    }

    private async Task WorkAsync()
    {
        var answer = new ResponseHead(AnswerHeads);
        await foreach (var job in jobs.Reader.ReadAllAsync(CancellationToken.None))
        {
            Interlocked.Add(ref waitingBytes, -job.Message.Length);
            try
            {
                var answered = await SendAsync(job, answer);
                Interlocked.Increment(ref answered ? ref sent : ref failed);
                (answered ? sentCounter : failedCounter).Add(1);
            }
            catch (Exception fault)
            {
                LogFailed(fault); // The loop goes on with the next.
            }
            finally
            {
                job.Call.End();
            }
        }
        answer.Release();
    }

    private async Task<bool> SendAsync(Job job, ResponseHead answer)
    {
        var upstream = job.Call.Upstream;
        var pool = pools.Of(upstream);
        var connection = pool.TryTake(time.GetTimestamp()) ?? (await pool.OpenAsync(ConnectPatience)).Connection;
        if (connection is null)
        {
            upstream.Ejection.Fail();
            return false;
        }
        var (whole, begun) = (false, false);
        using var patience = new CancellationTokenSource(Patience, time);
        await using var ending = patience.Token.UnsafeRegister(
            static one => ((InstanceConnection)one!).Abort(), connection);
        await using var stop = stopping.Token.UnsafeRegister(
            static one => ((InstanceConnection)one!).Abort(), connection);
        job.Call.Asked(time.GetTimestamp());
        try
        {
            await connection.SendAsync(job.Message);
            await ReadHeadAsync(connection, answer, job.Method);
            begun = true;
            whole = await ReadBodyAsync(connection, answer);
        }
        catch (Exception fault) when (Exchange.IsBroken(fault))
        {
            // Counted as failed; nobody waits for it.
        }
        var now = time.GetTimestamp();
        job.Call.Heard(begun, now);
        if (begun) upstream.Ejection.Succeed();
        else upstream.Ejection.Fail();
        if (whole && ending.Unregister()) pool.Keep(connection, now);
        else pool.Close(connection);
        return begun;
    }

    private static async Task ReadHeadAsync(InstanceConnection from, ResponseHead answer, KnownMethod method)
    {
        answer.Clear();
        answer.Expect(method);
        while (true)
        {
            if (!from.Buffered.IsEmpty)
            {
                var taken = from.Buffered.Length;
                answer.Append(from.Buffered.Span);
                from.Consume(taken);
                var filled = answer.Fields.Filled;
                var progress = answer.Parse();
                if (progress == HeadProgress.Bad) throw new InvalidDataException(HeadFaults.Explain(answer.Fault));
                if (progress == HeadProgress.Complete)
                {
                    from.Unread(filled - answer.Length);
                    if (!answer.IsInterim) return;
                    answer.Clear();
                    answer.Expect(method);
                    continue;
                }
            }
            if (await from.FillAsync() == 0) throw new IOException("the connection ended before an answer began");
        }
    }

    // True when the connection can carry another.
    private static async Task<bool> ReadBodyAsync(InstanceConnection from, ResponseHead answer)
    {
        var left = answer.Body == BodyKind.None ? 0 : answer.Body == BodyKind.Length ? answer.ContentLength : -1;
        if (left is < 0 or > MaxAnswerBytes || !answer.KeepAlive || answer.Status == 101) return false;
        while (left > 0)
        {
            var take = (int)Math.Min(left, from.Buffered.Length);
            from.Consume(take);
            left -= take;
            if (left > 0 && await from.FillAsync() == 0) return false;
        }
        return from.Buffered.IsEmpty;
    }

    [LoggerMessage(1, LogLevel.Error, "A copy of a request failed inside the platform")]
    private partial void LogFailed(Exception fault);

    /// <summary>One copy, with its place at an instance.</summary>
    private sealed record Job(UpstreamCall Call, byte[] Message, KnownMethod Method);
}
