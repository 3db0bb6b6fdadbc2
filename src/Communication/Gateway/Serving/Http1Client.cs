using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>
/// One connection of a client that speaks HTTP/1: reads request after request, has each answered before it reads the
/// next, and ends when one of the two wants it or the client takes too long.
/// </summary>
internal sealed partial class Http1Client : IClient, ITraffic, IExpiring
{
    // What a deadline was armed for.
    private static readonly object Reading = new();
    private static readonly object Writing = new();

    private readonly ConnectionContext connection;
    private readonly GatewayServer serving;
    private readonly ClientLimits limits;
    private readonly PipeReader input;
    private readonly PipeWriter output;
    private readonly Deadline readLimit; // The wait for bytes of the client.
    private readonly Deadline writeLimit; // The wait until it takes ours.
    private readonly byte[] addressText;
    private readonly BodyReader reader = new();
    private readonly Lock gate = new(); // Held to give the exchange back, and to interrupt it.
    private Exchange? exchange; // While a request is read or answered. Written under the gate.
    private volatile bool resting; // Waiting for the first byte of a request. Written by the loop.
    private volatile bool gone;
    private volatile bool closing; // The listener wants to close.
    private volatile bool isRaw; // After 101: bytes of another protocol both ways.

    public Http1Client(ConnectionContext connection, GatewayServer serving)
    {
        this.connection = connection;
        this.serving = serving;
        limits = serving.Limits;
        input = connection.Transport.Input;
        output = connection.Transport.Output;
        Address = (connection.RemoteEndPoint as IPEndPoint)?.Address is { } address
            ? address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address
            : null;
        addressText = Encoding.ASCII.GetBytes(Address?.ToString() ?? "unknown");
        IsSecure = connection.Features.Get<ITlsHandshakeFeature>() is not null;
        readLimit = serving.Deadlines.Add(this);
        writeLimit = serving.Deadlines.Add(this);
    }

    public IPAddress? Address { get; }

    public ReadOnlySpan<byte> AddressText => addressText;

    public bool IsSecure { get; }

    public ReadOnlySpan<byte> Protocol => exchange is { Request.MinorVersion: 0 } ? "1.0"u8 : "1.1"u8;

    public bool IsGone => gone;

    public int Status { get; private set; }

    public long BytesIn => received;

    public long BytesOut { get; private set; }

    /// <summary>
    /// Serves until the connection is to be closed, which the caller then does. False when it begins as HTTP/2.
    /// </summary>
    public async Task<bool> RunAsync()
    {
        var isHttp2 = false;
        await using var closed = connection.ConnectionClosed.UnsafeRegister(
            static self => ((Http1Client)self!).OnClosed(), this);
        var lifetime = connection.Features.Get<IConnectionLifetimeNotificationFeature>();
        await using var leaving = lifetime is null
            ? default
            : lifetime.ConnectionClosedRequested.UnsafeRegister(static self => ((Http1Client)self!).OnClosing(), this);
        try
        {
            // A connection that says nothing has no longer than one that says it slowly.
            var patience = limits.HeadTimeout;
            isHttp2 = !IsSecure && await BeginsAsHttp2Async(patience);
            while (!isHttp2 && await ReadHeadAsync(patience))
            {
                if (!await ServeAsync()) break;
                patience = limits.KeepAlive;
            }
        }
        catch (Exception fault) when (fault is ConnectionAbortedException or ConnectionResetException or IOException
            or OperationCanceledException or ObjectDisposedException)
        {
            // The client ended it, or we did; nobody is left to be told.
        }
        finally
        {
            Rest();
            serving.Deadlines.Remove(readLimit);
            if (isHttp2) serving.Deadlines.Remove(writeLimit);
            else LimitEnd();
        }
        return !isHttp2;
    }

    public void Expire(object target)
    {
        if (target == Reading) input.CancelPendingRead(); // The reader sees that its time is over.
        else connection.Abort(new ConnectionAbortedException("The client does not take its answer."));
    }

    public void Abort()
    {
        gone = true;
        connection.Abort(new ConnectionAbortedException("The answer was cut short."));
    }

    // By the preface (RFC 9113, 3.4), which no request of HTTP/1 can begin with.
    private async ValueTask<bool> BeginsAsHttp2Async(TimeSpan patience)
    {
        while (await AwaitRequestAsync(patience) is { } read)
        {
            var seen = (int)Math.Min(read.Buffer.Length, Preface.Length);
            var same = IsPreface(read.Buffer.Slice(0, seen));
            var decided = !same || seen == Preface.Length || read.IsCompleted;
            // What is examined is not given out again before more has come.
            input.AdvanceTo(read.Buffer.Start, decided ? read.Buffer.Start : read.Buffer.End);
            if (decided) return same && seen == Preface.Length;
        }
        return false;
    }

    private static ReadOnlySpan<byte> Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    private static bool IsPreface(in ReadOnlySequence<byte> bytes)
    {
        if (bytes.FirstSpan[0] != 'P') return false;
        Span<byte> begun = stackalloc byte[(int)bytes.Length];
        bytes.CopyTo(begun);
        return Preface.StartsWith(begun);
    }

    /// <summary>Waits for the first bytes of a request. Null when none comes.</summary>
    private async ValueTask<ReadResult?> AwaitRequestAsync(TimeSpan patience)
    {
        while (true)
        {
            var over = false;
            if (!input.TryRead(out var read))
            {
                Rest();
                // Whoever wants to close says so before it looks whether we rest.
                if (closing) return null;
                readLimit.Arm(patience, Reading);
                read = await input.ReadAsync();
                over = !readLimit.Disarm();
                resting = false;
            }
            if (!read.Buffer.IsEmpty) return read;
            if (read.IsCompleted || over || closing) return null;
            input.AdvanceTo(read.Buffer.Start); // Woken for the sake of a body that has been dealt with.
        }
    }

    /// <summary>Reads to the end of a head. False when there is none: the connection is to be closed.</summary>
    private async ValueTask<bool> ReadHeadAsync(TimeSpan patience)
    {
        if (await AwaitRequestAsync(patience) is not { } read) return false;
        var current = exchange ??= serving.Exchanges.Rent();
        var limited = false; // The head's own time begins with its first byte.
        try
        {
            while (true)
            {
                var progress = Take(current.Request, read.Buffer);
                if (progress == HeadProgress.Complete)
                {
                    input.AdvanceTo(read.Buffer.GetPosition(current.Request.Length));
                    return true;
                }
                if (progress == HeadProgress.Bad)
                {
                    input.AdvanceTo(read.Buffer.End);
                    await RefuseHeadAsync(current, current.Request.Fault);
                    return false;
                }
                input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                if (read.IsCompleted) return false; // Half a head, and nobody who waits for an answer to it.
                if (!limited) readLimit.Arm(limits.HeadTimeout, Reading);
                limited = true;
                read = await input.ReadAsync();
                if (!readLimit.IsOver) continue;
                input.AdvanceTo(read.Buffer.End);
                await RefuseHeadAsync(current, HeadFault.None);
                return false;
            }
        }
        finally
        {
            readLimit.Disarm();
        }
    }

    // While nothing is under way the connection holds no buffers of ours.
    private void Rest()
    {
        resting = true;
        if (exchange is not { } idle) return;
        lock (gate) exchange = null;
        serving.Exchanges.Return(idle);
    }

    private static HeadProgress Take(RequestHead head, in ReadOnlySequence<byte> bytes)
    {
        // As a rule the first segment has all of it; what follows the head is the body's.
        foreach (var segment in bytes.Slice(head.Fields.Filled))
        {
            head.Append(segment.Span);
            if (head.Parse() is var progress and not HeadProgress.Incomplete) return progress;
        }
        return HeadProgress.Incomplete;
    }

    /// <summary>Has one request answered. True when another may follow.</summary>
    private async ValueTask<bool> ServeAsync()
    {
        var current = exchange!; // Set while a request is read or answered.
        var head = current.Request;
        reader.Begin(head.Body, head.ContentLength, limits.BodyBytes);
        Begin(head.KeepAlive && head.Method != KnownMethod.Connect);
        current.Begin(this);
        if (reader.IsTooLarge) await serving.Requests.RefuseAsync(current, 413);
        else await serving.Requests.HandleAsync(current);
        if (!persistent || gone || isRaw) return false;
        if (!reader.IsComplete && !await DrainBodyAsync()) return false;
        current.Clear();
        return true;
    }

    private ValueTask RefuseHeadAsync(Exchange current, HeadFault fault)
    {
        Begin(keepAlive: false);
        current.BeginRefused(this);
        return fault == HeadFault.None
            ? serving.Requests.RefuseAsync(current, 408)
            : serving.Requests.RefuseAsync(current, fault);
    }

    private void Begin(bool keepAlive)
    {
        persistent = keepAlive;
        asked = BodyTouched = HasBegun = givenUp = false;
        answer = null;
        (received, waited) = (0, 0);
        (Status, BytesOut) = (0, 0);
    }

    // The transport sends what it has and closes when we return; a client that does not take it has its limit still.
    private void LimitEnd()
    {
        writeLimit.Arm(limits.DrainTimeout, Writing);
        connection.ConnectionClosed.UnsafeRegister(
            static self => ((Http1Client)self!).serving.Deadlines.Remove(((Http1Client)self!).writeLimit), this);
    }

    private void OnClosed()
    {
        // The client may have ended its side only; what an upgraded connection makes of that is its own affair.
        if (isRaw) return;
        gone = true;
        lock (gate) exchange?.Interrupt();
    }

    private void OnClosing()
    {
        closing = true;
        if (resting) input.CancelPendingRead();
    }
}
