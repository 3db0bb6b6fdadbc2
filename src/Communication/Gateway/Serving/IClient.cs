using Groundwork.Communication.Gateway.Transforms;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Serving;

/// <summary>
/// The client's side of one exchange, whatever it speaks: its body is read, and the answer written, as bytes. One task
/// may read while another writes.
/// </summary>
internal interface IClient
{
    System.Net.IPAddress? Address { get; }

    /// <summary>The address as it is told to instances.</summary>
    ReadOnlySpan<byte> AddressText { get; }

    /// <summary>True when it came over TLS that ends here.</summary>
    bool IsSecure { get; }

    /// <summary>The version in which it speaks, as <c>Via</c> names it.</summary>
    ReadOnlySpan<byte> Protocol { get; }

    /// <summary>True once nobody is there any more to read an answer.</summary>
    bool IsGone { get; }

    /// <summary>True once a byte of the body may have been taken: then it cannot be read again.</summary>
    bool BodyTouched { get; }

    /// <summary>True once a byte of the answer may have gone out.</summary>
    bool HasBegun { get; }

    /// <summary>Asks for the body, where the client waits to be asked (<c>100 Continue</c>).</summary>
    ValueTask AskForBodyAsync();

    /// <summary>Reads what there is of the body, or waits for some; 0 at its end.</summary>
    /// <exception cref="ClientBodyException">The client broke off, is too slow, or sent something else.</exception>
    ValueTask<int> ReadBodyAsync(Memory<byte> into);

    /// <summary>
    /// What came behind a body, once that has been read to its end; null: nothing. Asked of the client itself, never
    /// of one that was put before it.
    /// </summary>
    FieldTable? Trailers => null;

    /// <summary>Nobody wants the rest of the body: who waits for it gets an exception.</summary>
    void GiveUpBody();

    /// <summary>Passes on an interim answer such as 103, where the client can take one.</summary>
    ValueTask InterimAsync(ResponseHead head);

    /// <summary>Says what the answer is. Nothing goes out before something is written, flushed or ended.</summary>
    void Begin(AnswerHead head);

    /// <summary>Writes a piece of the body; it goes out with the next flush.</summary>
    void Write(ReadOnlySpan<byte> bytes);

    /// <summary>
    /// Room for a piece of the body that goes out as it is, to be filled and then given to <see cref="Advance"/>; empty
    /// where pieces are framed. All that is written has to be flushed before.
    /// </summary>
    Memory<byte> Room(int bytes);

    void Advance(int bytes);

    /// <summary>Writes the end of the body.</summary>
    /// <param name="trailers">Those that the client may get; null: none.</param>
    void End(FieldTable? trailers);

    /// <summary>Sends what is written. False when the client is gone.</summary>
    ValueTask<bool> FlushAsync();

    /// <summary>Cuts the answer, so that what has gone out never looks whole.</summary>
    void Abort();
}

/// <summary>What an answer is, before its body.</summary>
internal sealed class AnswerHead
{
    public int Status { get; set; }

    /// <summary>The instance's answer, whose fields and reason are passed on; null for one of our own.</summary>
    public ResponseHead? From { get; set; }

    /// <summary>Fields of ours.</summary>
    public List<KeyValuePair<string, string>> Added { get; } = [];

    /// <summary>What the route makes of the instance's fields; null where it leaves them alone.</summary>
    public Transformed? Transformed { get; set; }

    public BodyKind Body { get; set; }

    /// <summary>What the length field says, be there a body or not; -1: there is none.</summary>
    public long ContentLength { get; set; }

    /// <summary>True when nothing more is taken from this connection after the answer.</summary>
    public bool Closes { get; set; }

    public void Clear()
    {
        Status = 0;
        From = null;
        Transformed = null;
        Added.Clear();
        Body = BodyKind.None;
        ContentLength = -1;
        Closes = false;
    }

    /// <summary>True for a field of the instance's answer that the client gets.</summary>
    public static bool IsPassed(ResponseHead from, scoped in HeadField field) =>
        !KnownFields.IsHopByHop(field.Known)
        && field.Known is not (KnownField.ContentLength // Ours to say, with the framing.
            or KnownField.AltSvc // Would lead the client past the gateway.
            or KnownField.GroundworkRequestId
            or KnownField.GroundworkRevision) // Ours to say.
        && !from.IsNamed(field);

    /// <summary>The name under which a field is passed on; empty for one that is not.</summary>
    public ReadOnlySpan<byte> NameOf(ResponseHead from, scoped in HeadField field)
    {
        if (!IsPassed(from, field)) return default;
        var name = from.Fields.NameOf(field);
        return Transformed?.RemovesFromAnswer(name) == true ? Transformed.NewNameInAnswer(name) : name;
    }

    /// <summary>True for a trailer that a client may get: none that says how to read or whom to believe.</summary>
    public static bool IsPassedTrailer(in HeadField field) =>
        !KnownFields.IsHopByHop(field.Known)
        && field.Known is not (KnownField.ContentLength or KnownField.Host or KnownField.Authorization
            or KnownField.SetCookie or KnownField.ContentEncoding or KnownField.ContentType
            or KnownField.ContentRange or KnownField.CacheControl or KnownField.GroundworkRevision);
}

/// <summary>A client's body ended before its end.</summary>
/// <param name="fault">What was wrong with it; <see cref="HeadFault.None"/> when the client only went away.</param>
/// <param name="status">What to answer, if somebody still reads it: 400, 408 or 413; 0: nobody does.</param>
internal sealed class ClientBodyException(HeadFault fault, int status)
    : IOException("The client's body ended before its end.")
{
    public HeadFault Fault => fault;

    public int Status => status;
}
