using System.Buffers;
using System.Text;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Kernel.Hosting;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

// Exchanges with instances that speak HTTP/2. The head is the one that would go out over HTTP/1.1, and the answer's is
// read as one of it, so that every rule holds here too.
internal sealed partial class Exchange
{
    /// <summary>Bytes of a piece of a body: a frame of HTTP/2 as it is by default.</summary>
    private const int FrameBytes = 16 * 1024;

    /// <summary>For a head that is our own: the client's largest, and what we add.</summary>
    private static readonly HeadLimits OwnHead = new(LineBytes: 64 * 1024, FieldsBytes: 256 * 1024, Fields: 512);

    private InstanceStream? stream; // The owner's; null: the exchange goes over a connection.
    private GrpcWeb? web; // The client speaks gRPC-Web.

    private async ValueTask<CallFailure> CallOverStreamAsync(InstancePool over, long began)
    {
        web = GrpcWeb.Of(Request.Fields);
        var made = new InstanceStream(over.Streams.Get(), Message(over));
        if (!over.TryEnter()) return CallFailure.Full;
        var mine = stream = made;
        Volatile.Write(ref exposed, mine);
        if (Client.IsGone) Interrupt();
        try
        {
            LimitTry(mine, began);
            if (Request.ExpectsContinue) await Client.AskForBodyAsync();
            // To connect, for a request with a body, which then has limits of its own.
            receiving.Arm(Request.Body == BodyKind.None ? Route.ResponseHeadTimeout : ConnectLimit(), mine);
            await mine.SendAsync();
            received = answering = true;
            Lift(receiving);
            Lift(sending);
            LiftEnding();
            if (timedOut) throw new IOException("the time is over");
            TakeAnswer(mine.Answer!); // Not null: it has been sent.
            LimitRest(mine);
            return CallFailure.None;
        }
        catch (Exception fault) when (IsBroken(fault) || fault is HttpRequestException)
        {
            Cause = fault;
            await DropAsync();
            var failure = Classify(wasReused: false);
            return failure != CallFailure.Broken ? failure : FailureOf(fault);
        }
    }

    private static CallFailure FailureOf(Exception fault) => fault switch
    {
        HttpRequestException { InnerException: AddressForbiddenException } => CallFailure.Forbidden,
        HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.VersionNegotiationError
        } => CallFailure.Connect,
        _ => CallFailure.Broken,
    };

    private HttpRequestMessage Message(InstancePool over)
    {
        var head = new RequestHead(OwnHead);
        var room = ArrayPool<byte>.Shared.Rent(RequestForm.RoomFor(this, over.Authority));
        head.Append(room.AsSpan(0, RequestForm.Write(this, over.Authority, room)));
        ArrayPool<byte>.Shared.Return(room);
        if (head.Parse() != HeadProgress.Complete) throw new InvalidDataException(HeadFaults.Explain(head.Fault));
        var message = new HttpRequestMessage(
            new HttpMethod(Encoding.ASCII.GetString(head.MethodName)),
            // The path is in its normal form, which no other is to change.
            new Uri(
                over.Address.GetLeftPart(UriPartial.Authority) + Encoding.ASCII.GetString(head.Target),
                new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }))
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        message.Headers.Host = Encoding.ASCII.GetString(RequestForm.HostOf(this, over.Authority));
        if (Request.Body != BodyKind.None) message.Content = new ClientBody(this);
        foreach (ref readonly var field in head.Fields.Fields)
        {
            if (KnownFields.IsHopByHop(field.Known) || field.Known is KnownField.Host or KnownField.ContentLength)
                continue;
            var name = Encoding.ASCII.GetString(head.Fields.NameOf(field));
            var value = Encoding.Latin1.GetString(head.Fields.ValueOf(field));
            if (web is not null && field.Known == KnownField.ContentType) value = web.ToGrpc(value);
            if (!message.Headers.TryAddWithoutValidation(name, value))
                message.Content?.Headers.TryAddWithoutValidation(name, value);
        }
        if (TakesTrailers || web is not null) message.Headers.TryAddWithoutValidation("TE", "trailers");
        head.Release();
        return message;
    }

    private void TakeAnswer(HttpResponseMessage from)
    {
        var text = new StringBuilder("HTTP/1.1 ").Append((int)from.StatusCode).Append(" \r\n");
        foreach (var (name, values) in from.Headers.NonValidated)
            foreach (var value in values) Field(text, name, value);
        foreach (var (name, values) in from.Content.Headers.NonValidated)
            foreach (var value in values) Field(text, name, value);
        // The end of the stream is the end of the body.
        if (from.Content.Headers.ContentLength is null) Field(text, "Transfer-Encoding", "chunked");
        Answer.Clear();
        Answer.Expect(Request.Method);
        Answer.Append(Encoding.Latin1.GetBytes(text.Append("\r\n").ToString()));
        var progress = Answer.Parse();
        if (progress != HeadProgress.Complete || Answer.IsInterim)
            throw new InvalidDataException(HeadFaults.Explain(Answer.Fault));
    }

    private void Field(StringBuilder text, string name, string value)
    {
        if (web is not null && name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
            value = web.FromGrpc(value);
        text.Append(name).Append(": ").Append(value).Append("\r\n");
    }

    private async ValueTask<BodyEnd> PassStreamAsync(InstanceStream from)
    {
        var piece = ArrayPool<byte>.Shared.Rent(FrameBytes);
        var flushed = false;
        try
        {
            while (true)
            {
                var reading = from.ReadAsync(piece);
                // The head must not wait for a body that comes later. One that is over goes out as the end at once.
                if (!reading.IsCompleted && !flushed)
                {
                    // The read has to end before its buffer is given up.
                    if (!await Client.FlushAsync()) from.Abort();
                    flushed = true;
                }
                var count = await WaitAsync(reading, from);
                if (count == 0) break;
                if (web is null) Client.Write(piece.AsSpan(0, count));
                else web.Write(Client, piece.AsSpan(0, count));
                if (!await Client.FlushAsync()) return BodyEnd.ClientGone;
                flushed = true;
            }
            var trailers = TrailerFields.Read(
                from.Answer!.TrailingHeaders.NonValidated.SelectMany( // Not null: its body has been read.
                    field => field.Value, (field, value) => KeyValuePair.Create(field.Key, value)));
            if (web is null) return await EndAsync(TakesTrailers ? trailers : null);
            if (trailers is not null) web.WriteTrailers(Client, trailers);
            return await EndAsync(null);
        }
        catch (Exception fault) when (IsBroken(fault) || fault is HttpRequestException)
        {
            Cause = fault;
            return Client.IsGone ? BodyEnd.ClientGone : BodyEnd.InstanceFailed;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }

    private async ValueTask FinishStreamAsync(bool whole)
    {
        if (body is { IsCompletedSuccessfully: true } && await body) body = null;
        // What the instance did not want to read, nobody reads.
        if (!whole || body is not null)
        {
            await DropAsync();
            return;
        }
        var mine = stream!; // The caller has looked.
        stream = null;
        Lift(receiving);
        Lift(sending);
        LiftEnding();
        Interlocked.Exchange(ref exposed, null);
        EndStream(mine);
    }

    // Ends the stream, when nobody reads or writes it any more.
    private void EndStream(InstanceStream mine)
    {
        mine.Dispose();
        pool!.Leave(); // Of the stream.
    }

    // Sends the client's body. Runs beside the answer, and says how it ended by its task.
    private async Task PassBodyAsync(Stream to, TaskCompletionSource<bool> over, CancellationToken ending)
    {
        var piece = ArrayPool<byte>.Shared.Rent(FrameBytes);
        var whole = false;
        try
        {
            Lift(receiving); // It is connected.
            await to.FlushAsync(ending); // The head does not wait for a body that comes later.
            while (true)
            {
                var kept = web?.Kept ?? 0;
                var count = await Client.ReadBodyAsync(piece.AsMemory(kept));
                if (count == 0) break;
                if (web is not null) count = web.Decode(piece, count);
                if (count == 0) continue;
                if (stream is { } target)
                    sending.Arm(answering ? Route.IdleTimeout : Route.ResponseHeadTimeout, target);
                await to.WriteAsync(piece.AsMemory(0, count), ending);
                await to.FlushAsync(ending);
                Lift(sending);
                if (timedOut) throw new IOException("the time is over");
            }
            if (web is { Kept: > 0 }) throw new ClientBodyException(HeadFault.None, 400);
            // Who sees the head of the answer says so before it lifts the limit, and we set it before we look.
            if (stream is { } asked) sending.Arm(Route.ResponseHeadTimeout, asked);
            Interlocked.MemoryBarrier();
            if (answering) Lift(sending);
            whole = true;
        }
        catch (ClientBodyException fault)
        {
            clientFault = fault;
            throw;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
            over.TrySetResult(whole);
        }
    }

    /// <summary>The client's body, as what sends the request asks for it.</summary>
    private sealed class ClientBody(Exchange exchange) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override Task SerializeToStreamAsync(
            Stream stream, System.Net.TransportContext? context, CancellationToken cancellationToken)
        {
            // A body can be read once.
            if (exchange.body is not null) throw new IOException("the connection ended before the request was taken");
            var over = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
            exchange.body = over.Task;
            return exchange.PassBodyAsync(stream, over, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = exchange.Request.ContentLength;
            return exchange.Request.Body == BodyKind.Length && exchange.web is null;
        }
    }
}
