using System.Buffers;
using System.Runtime.CompilerServices;
using Groundwork.Wire.Http1;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;

namespace Groundwork.Communication.Gateway.Serving;

// Writing of the answer.
internal sealed partial class Http1Client
{
    /// <summary>Bytes of what is ours in a head: the line, the date, the request's id, the framing.</summary>
    private const int OursBytes = 256;

    private AnswerHead? answer; // Begun and not yet written.
    private bool persistent; // Another request may follow.
    private bool writesChunks;

    public bool HasBegun { get; private set; }

    public void Begin(AnswerHead head) => answer = head;

    public async ValueTask InterimAsync(ResponseHead head)
    {
        if (HasBegun || exchange is not { Request.MinorVersion: 1 }) return;
        WriteInterim(head);
        await SendAsync();
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        WriteHead();
        if (bytes.IsEmpty) return;
        BytesOut += bytes.Length;
        if (!writesChunks)
        {
            output.Write(bytes);
            return;
        }
        var room = output.GetSpan(bytes.Length + Chunks.MaxSizeLine + Chunks.End.Length);
        var length = Chunks.WriteSize(room, bytes.Length);
        bytes.CopyTo(room[length..]);
        length += bytes.Length;
        Chunks.End.CopyTo(room[length..]);
        output.Advance(length + Chunks.End.Length);
    }

    public Memory<byte> Room(int bytes) => writesChunks ? default : output.GetMemory(bytes);

    public void Advance(int bytes)
    {
        BytesOut += bytes;
        output.Advance(bytes);
    }

    public void End(FieldTable? trailers)
    {
        WriteHead();
        if (!writesChunks) return;
        if (trailers is null)
        {
            output.Write(Chunks.Last);
            return;
        }
        var writer = new HeadWriter(output.GetSpan(trailers.Filled + 8));
        writer.Write("0\r\n"u8);
        foreach (ref readonly var field in trailers.Fields)
            if (AnswerHead.IsPassedTrailer(field)) writer.Field(trailers, field);
        writer.EndLine();
        output.Advance(writer.Length);
    }

    public ValueTask<bool> FlushAsync()
    {
        WriteHead();
        return SendAsync();
    }

    private ValueTask<bool> SendAsync()
    {
        try
        {
            var flushing = output.FlushAsync();
            return flushing.IsCompletedSuccessfully
                ? ValueTask.FromResult(!flushing.Result.IsCompleted && !gone)
                : AwaitFlushAsync(flushing);
        }
        catch (Exception fault) when (IsGoneFault(fault))
        {
            return ValueTask.FromResult(false);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> AwaitFlushAsync(ValueTask<System.IO.Pipelines.FlushResult> flushing)
    {
        writeLimit.Arm(limits.SendTimeout, Writing);
        try
        {
            var flushed = await flushing;
            return writeLimit.Disarm() && !flushed.IsCompleted && !gone;
        }
        catch (Exception fault) when (IsGoneFault(fault))
        {
            writeLimit.Disarm();
            return false;
        }
    }

    private static bool IsGoneFault(Exception fault) => fault is ConnectionAbortedException
        or ConnectionResetException or IOException or OperationCanceledException or ObjectDisposedException
        or InvalidOperationException;

    private void WriteHead()
    {
        if (answer is not { } head) return;
        answer = null;
        HasBegun = true;
        Status = head.Status;
        writesChunks = false;
        var minor = exchange is { } current ? current.Request.MinorVersion : 1;
        var raw = head.Status == 101;
        if (head.Body is BodyKind.Chunked or BodyKind.UntilClose)
        {
            writesChunks = minor == 1;
            if (minor == 0) persistent = false; // There the end of the connection is the end of the body.
        }
        if (head.Closes || closing || serving.Requests.IsDraining || !MayDrain) persistent = false;
        var room = OursBytes + (head.From?.Fields.Filled ?? 0);
        foreach (var (name, value) in head.Added) room += name.Length + value.Length + 4;
        room += head.Transformed?.AnswerBytes ?? 0;
        var writer = new HeadWriter(output.GetSpan(room));
        WriteLine(ref writer, head);
        if (head.From is { } from)
        {
            if (head.Transformed is { } transformed) WriteFields(ref writer, from, head, transformed);
            else WriteFields(ref writer, from);
        }
        foreach (var (name, value) in head.Added)
        {
            writer.Write(name);
            writer.Write(": "u8);
            writer.Write(value);
            writer.EndLine();
        }
        if (exchange is not null) writer.Field("Groundwork-Request-Id"u8, exchange.Trace.SpanId);
        if (raw) writer.Write("Connection: Upgrade\r\nUpgrade: websocket\r\n"u8);
        else WriteFraming(ref writer, head, minor);
        if (head.From is null || !head.From.Fields.Has(KnownField.Date)) writer.Field("Date"u8, serving.Date());
        writer.EndLine();
        output.Advance(writer.Length);
        isRaw = raw;
    }

    private static void WriteLine(ref HeadWriter writer, AnswerHead head)
    {
        if (head.Status == 200 && (head.From is null || head.From.Reason.SequenceEqual("OK"u8)))
        {
            writer.Write("HTTP/1.1 200 OK\r\n"u8);
            return;
        }
        writer.Write("HTTP/1.1 "u8);
        writer.Write(head.Status);
        writer.Write((byte)' ');
        if (head.From is { } from) writer.Write(from.Reason);
        else writer.Write(ReasonPhrases.GetReasonPhrase(head.Status));
        writer.EndLine();
    }

    private static void WriteFields(ref HeadWriter writer, ResponseHead from)
    {
        var fields = from.Fields;
        var (start, end) = (0, 0); // Whole lines that wait to be copied together.
        foreach (ref readonly var field in fields.Fields)
        {
            if (!AnswerHead.IsPassed(from, field)) continue;
            if (!field.IsPlain) writer.Field(fields, field);
            else if (field.NameAt == end) end = field.LineEnd;
            else
            {
                writer.Write(fields.Slice(start, end - start));
                (start, end) = (field.NameAt, field.LineEnd);
            }
        }
        writer.Write(fields.Slice(start, end - start));
    }

    private static void WriteFields(
        ref HeadWriter writer, ResponseHead from, AnswerHead head, Transforms.Transformed transformed)
    {
        foreach (ref readonly var field in from.Fields.Fields)
            if (head.NameOf(from, field) is { IsEmpty: false } name) writer.Field(name, from.Fields.ValueOf(field));
        foreach (var field in transformed.AnswerFields) writer.Field(field.Name, field.Value);
    }

    private void WriteFraming(ref HeadWriter writer, AnswerHead head, int minor)
    {
        if (writesChunks) writer.Write("Transfer-Encoding: chunked\r\n"u8);
        else if (head.ContentLength >= 0 && head.Body is BodyKind.None or BodyKind.Length
            && head.Status is not (204 or < 200))
        {
            writer.Write("Content-Length: "u8);
            writer.Write(head.ContentLength);
            writer.EndLine();
        }
        if (!persistent) writer.Write("Connection: close\r\n"u8);
        else if (minor == 0) writer.Write("Connection: keep-alive\r\n"u8);
    }

    private void WriteInterim(ResponseHead head)
    {
        var writer = new HeadWriter(output.GetSpan(OursBytes + head.Fields.Filled));
        writer.Write("HTTP/1.1 "u8);
        writer.Write(head.Status);
        writer.Write((byte)' ');
        writer.Write(head.Reason);
        writer.EndLine();
        WriteFields(ref writer, head);
        writer.EndLine();
        output.Advance(writer.Length);
    }
}
