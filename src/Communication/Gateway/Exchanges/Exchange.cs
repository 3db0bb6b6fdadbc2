using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Groundwork.Communication.Gateway.Balancing;
using Groundwork.Communication.Gateway.Calling;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Communication.Gateway.Timing;
using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>
/// One request and what becomes of it. The object serves many, one after the other: it brings the buffers and the
/// deadlines. It owns at most one connection to an instance, which the client's leaving or a deadline ends from
/// outside.
/// </summary>
internal sealed partial class Exchange : IExpiring
{
    /// <summary>Bytes of one piece of a request's body.</summary>
    private const int PieceBytes = 32 * 1024;

    /// <summary>Interim answers of one exchange: more are an attempt to keep us busy.</summary>
    private const int MaxInterim = 16;

    /// <summary>Bytes of a buffer that is kept between requests: heads fit.</summary>
    private const int UsualOutgoingBytes = 4 * 1024;

    private readonly InstancePools pools;
    private readonly TimeProvider time;
    private readonly Deadline receiving; // The wait for the answer to a request without body, or for a piece of one.
    private readonly Deadline sending; // The wait for a piece of a body to be taken, and after the last for the answer.
    private byte[] outgoing = []; // The head and pieces of the body on their way to the instance; pooled.
    private InstancePool? pool; // Of the connection.
    private InstanceConnection? connection; // The owner's.
    private IEndable? exposed; // That or the stream, for those who may end it from outside. Interlocked.
    private ClientBodyException? clientFault; // Written by the task that sends the body, read when it is over.
    private Task<bool>? body; // Sends the body; true when it was sent whole.
    private bool received; // A byte of the answer has come.
    private volatile bool answering; // The head of the answer has come.
    private volatile bool timedOut; // A deadline of this call has expired.

    public Exchange(
        InstancePools pools, Deadlines deadlines, HeadLimits requests, HeadLimits answers, TimeProvider time,
        TraceHeaders traceHeaders = TraceHeaders.W3C)
    {
        Trace = new TraceIdentity(traceHeaders);
        this.pools = pools;
        this.time = time;
        Request = new RequestHead(requests);
        Fields = new ExchangeFields(Request.Fields);
        Answer = new ResponseHead(answers);
        receiving = deadlines.Add(this);
        sending = deadlines.Add(this);
        ending = deadlines.Add(this);
    }

    public RequestHead Request { get; }

    /// <summary>The request's fields, as routes look at them.</summary>
    public IRequestFields Fields { get; }

    public ResponseHead Answer { get; }

    public AnswerHead Head { get; } = new();

    public TraceIdentity Trace { get; }

    /// <summary>Set before anything is sent.</summary>
    public Route Route { get; set; } = null!;

    /// <summary>Where the request goes; set with a route that leads somewhere.</summary>
    public Destination Destination { get; set; }

    /// <summary>What the route makes of the request and its answer; null where it leaves them alone.</summary>
    public Transformed? Transformed { get; set; }

    /// <summary>Set before anything else is asked of the exchange.</summary>
    public IClient Client { get; private set; } = null!;

    /// <summary>True when the peer is a proxy that is believed.</summary>
    public bool Trusted { get; set; }

    /// <summary>True when the client asks for a WebSocket.</summary>
    public bool Upgrade { get; private set; }

    /// <summary>True when the client reads trailers.</summary>
    public bool TakesTrailers { get; private set; }

    /// <summary>True for methods that change nothing, so that sending one twice does no harm.</summary>
    public bool IsSafe => Request.Method is KnownMethod.Get or KnownMethod.Head or KnownMethod.Options;

    /// <summary>True while nothing of the body has been taken from the client.</summary>
    public bool BodyUntouched => Request.Body == BodyKind.None || !Client.BodyTouched;

    /// <summary>For the log; the client never sees it.</summary>
    public Exception? Cause { get; private set; }

    public ClientBodyException? ClientFault => clientFault;

    /// <summary>Begins with a request whose head is complete.</summary>
    public void Begin(IClient client)
    {
        Start(client);
        Trusted = false;
        var fields = Request.Fields;
        TakesTrailers = fields.Has(KnownField.Te) && fields.HasToken(KnownField.Te, "trailers"u8);
        // WebSockets and nothing else: an h2c passed on would open a connection past every rule here. Such a wish is
        // dropped, as RFC 9110 (7.8) allows.
        Upgrade = Request.Method == KnownMethod.Get && Request.MinorVersion == 1 && fields.Has(KnownField.Upgrade)
            && Request.Body == BodyKind.None
            && fields.HasToken(KnownField.Connection, "upgrade"u8)
            && fields.HasToken(KnownField.Upgrade, "websocket"u8);
        Trace.Take(fields);
    }

    /// <summary>Begins with one whose head could not be read: it is answered, and nothing is known of it.</summary>
    public void BeginRefused(IClient client)
    {
        Start(client);
        Trusted = Upgrade = TakesTrailers = false;
        Trace.Begin();
    }

    /// <summary>Makes ready for another request.</summary>
    public void Clear()
    {
        Client = null!;
        Route = null!;
        Arrival = null!;
        Destination = default;
        Transformed = null;
        Cause = null;
        clientFault = null;
        web = null;
        ClearPassage();
        ClearDeadline();
        Request.Clear();
        Answer.Clear();
        Head.Clear();
        if (outgoing.Length <= UsualOutgoingBytes) return;
        ArrayPool<byte>.Shared.Return(outgoing);
        outgoing = [];
    }

    /// <summary>Gives up what it holds.</summary>
    public void Retire(Deadlines deadlines)
    {
        deadlines.Remove(receiving);
        deadlines.Remove(sending);
        deadlines.Remove(ending);
        Request.Release();
        Answer.Release();
        if (outgoing.Length > 0) ArrayPool<byte>.Shared.Return(outgoing);
        outgoing = [];
    }

    /// <summary>
    /// Sends the request to an instance and brings the head of its answer into <see cref="Answer"/>. Never throws for
    /// what an instance or a client does. With any failure the connection is gone.
    /// </summary>
    /// <param name="kept">False: over a new connection alone.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<CallFailure> CallAsync(Upstream upstream, bool kept)
    {
        Cause = null;
        clientFault = null;
        received = answering = timedOut = false;
        Resume();
        var began = Now;
        NoteAttempt(upstream, kept);
        pool = pools.Of(upstream);
        if (upstream.SpeaksHttp2) return NoteOutcome(upstream, await CallOverStreamAsync(pool, began), began);
        var taken = kept ? pool.TryTake(began) : null;
        if (taken is null)
        {
            (taken, var failure, Cause) = await pool.OpenAsync(ConnectLimit());
            if (taken is null)
            {
                if (Client.IsGone) failure = CallFailure.ClientGone;
                else if (IsOverdue) failure = CallFailure.Deadline;
                return NoteOutcome(upstream, failure, began);
            }
        }
        connection = taken;
        Volatile.Write(ref exposed, taken);
        // Who left before there was a connection to end did not end this one.
        if (Client.IsGone) Interrupt();
        try
        {
            LimitTry(taken, began);
            await SendAsync(taken);
            await ReceiveHeadAsync(taken);
            return NoteOutcome(upstream, CallFailure.None, began);
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            Cause = fault;
            var wasReused = taken.IsReused;
            await DropAsync();
            return NoteOutcome(upstream, Classify(wasReused), began);
        }
    }

    /// <summary>Ends the connection to the instance at once, from any thread.</summary>
    public void Interrupt() => Interlocked.Exchange(ref exposed, null)?.Abort();

    public void Expire(object target)
    {
        // Only what was waited for: the exchange may be at its next attempt by now.
        var late = (IEndable)target;
        Interlocked.CompareExchange(ref exposed, null, late);
        late.Abort();
    }

    /// <summary>The exchange is over on the instance's side: its connection is kept where it can be.</summary>
    public async ValueTask FinishAsync(bool whole)
    {
        if (!whole) NoteCut();
        if (stream is not null)
        {
            await FinishStreamAsync(whole);
            return;
        }
        var reusable = whole && Answer.KeepAlive && Answer.Status != 101 && connection!.Buffered.IsEmpty;
        // Completed, so that its result is no wait.
        if (body is { IsCompletedSuccessfully: true } && await body) body = null;
        if (!reusable || body is not null)
        {
            await DropAsync();
            return;
        }
        var mine = connection!; // Set by the call that succeeded.
        connection = null;
        Lift(receiving);
        Lift(sending);
        LiftEnding();
        // Whoever took it has ended it.
        if (Interlocked.CompareExchange(ref exposed, null, mine) == mine && !timedOut) pool!.Keep(mine, Now);
        else pool!.Close(mine);
    }

    internal static bool IsBroken(Exception fault) =>
        fault is IOException or SocketException or InvalidDataException or ObjectDisposedException
            or OperationCanceledException;

    private CallFailure Classify(bool wasReused)
    {
        if (clientFault is { Status: > 0 }) return CallFailure.ClientBody;
        if (Client.IsGone || clientFault is not null) return CallFailure.ClientGone;
        if (timedOut) return outOfTime ? CallFailure.Deadline : CallFailure.Timeout;
        return wasReused && !received ? CallFailure.KeptClosed : CallFailure.Broken;
    }

    /// <summary>Ends what is under way at the instance, whatever it is.</summary>
    public async ValueTask DropAsync()
    {
        var mine = connection;
        var over = stream;
        (connection, stream) = (null, null);
        Interlocked.Exchange(ref exposed, null);
        mine?.Abort();
        over?.Abort();
        if (body is not null)
        {
            Client.GiveUpBody();
            await body; // Ends now: its connection is gone, and nobody waits for the client's bytes.
            body = null;
        }
        // After the last who may arm one.
        Lift(receiving);
        Lift(sending);
        LiftEnding();
        if (mine is not null) pool!.Close(mine);
        if (over is not null) EndStream(over);
    }

    private ValueTask SendAsync(InstanceConnection to)
    {
        var authority = pool!.Authority;
        var room = RequestForm.RoomFor(this, authority);
        if (Request.Body != BodyKind.None) room = Math.Max(room, PieceBytes);
        if (outgoing.Length < room)
        {
            if (outgoing.Length > 0) ArrayPool<byte>.Shared.Return(outgoing);
            outgoing = [];
            outgoing = ArrayPool<byte>.Shared.Rent(room);
        }
        var length = RequestForm.Write(this, authority, outgoing);
        if (Request.Body == BodyKind.None)
        {
            receiving.Arm(ResponseHeadTimeout, to, Now);
            return to.SendAsync(outgoing.AsMemory(0, length));
        }
        if (Request.ExpectsContinue) return AskAndSendAsync(to, length);
        // The answer may begin before the body has ended: they go side by side.
        body = SendBodyAsync(to, length);
        return ValueTask.CompletedTask;
    }

    private async ValueTask AskAndSendAsync(InstanceConnection to, int length)
    {
        await Client.AskForBodyAsync();
        body = SendBodyAsync(to, length);
    }

    private void Lift(Deadline deadline)
    {
        if (!deadline.Disarm()) timedOut = true;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask ReceiveHeadAsync(InstanceConnection from)
    {
        for (var interim = 0; interim <= MaxInterim; interim++)
        {
            Answer.Clear();
            Answer.Expect(Request.Method);
            while (true)
            {
                var taken = from.Buffered.Length;
                if (taken > 0)
                {
                    received = true;
                    Answer.Append(from.Buffered.Span);
                    from.Consume(taken);
                    var filled = Answer.Fields.Filled;
                    var progress = Answer.Parse();
                    if (progress == HeadProgress.Bad) throw new InvalidDataException(HeadFaults.Explain(Answer.Fault));
                    if (progress == HeadProgress.Complete)
                    {
                        from.Unread(filled - Answer.Length);
                        break;
                    }
                }
                if (await from.FillAsync() == 0) throw new IOException("the connection ended before an answer began");
            }
            if (Answer.Status == 101 && !(Upgrade && Answer.Fields.HasToken(KnownField.Upgrade, "websocket"u8)))
                throw new InvalidDataException("it switched to a protocol that was not asked for");
            if (!Answer.IsInterim || Answer.Status == 101)
            {
                answering = true;
                Lift(receiving);
                Lift(sending);
                LiftEnding();
                if (timedOut) throw new IOException("the time is over");
                LimitRest(from);
                return;
            }
            // 100 is between us and the instance, and we did not ask; 102 says nothing that a client needs.
            if (Answer.Status == 103) await Client.InterimAsync(Answer);
        }
        throw new InvalidDataException("it sent interim answers without end");
    }
}
