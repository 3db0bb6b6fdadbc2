namespace Groundwork.Wire.Http1;

/// <summary>How far the reading of a head has come.</summary>
public enum HeadProgress
{
    /// <summary>More bytes are needed.</summary>
    Incomplete,

    /// <summary>The head is there, whole and valid.</summary>
    Complete,

    /// <summary>It is none; what follows on the connection must not be read.</summary>
    Bad,
}

/// <summary>What is wrong with a message; the first thing found.</summary>
public enum HeadFault
{
    None,

    /// <summary>The first line is no request line, or no status line.</summary>
    FirstLine,
    Method,
    Target,

    /// <summary>The path is malformed, or two readers could understand it differently.</summary>
    Path,
    Version,
    LineTooLong,
    HeadTooLarge,
    TooManyFields,
    FieldName,
    FieldValue,

    /// <summary>A line that ends in a lone line feed or carriage return.</summary>
    LineEnd,
    HostMissing,
    HostTwice,
    HostInvalid,

    /// <summary>The target names another host than the Host field.</summary>
    HostContradicted,
    ContentLength,

    /// <summary>A length beside a transfer coding (RFC 9112, 6.1).</summary>
    TwoLengths,

    /// <summary>A transfer coding other than <c>chunked</c>, alone and once.</summary>
    TransferCoding,
    Chunk,
    Trailers,

    /// <summary>The bytes end in the middle of a head or a body.</summary>
    CutShort,
}

/// <summary>What is said of a fault, and with which status.</summary>
public static class HeadFaults
{
    public static int StatusOf(HeadFault fault) => fault switch
    {
        HeadFault.LineTooLong => 414,
        HeadFault.HeadTooLarge or HeadFault.TooManyFields => 431,
        HeadFault.Version => 505,
        HeadFault.TransferCoding => 501,
        _ => 400,
    };

    /// <summary>One sentence for the sender; it repeats nothing of what was sent.</summary>
    public static string Explain(HeadFault fault) => fault switch
    {
        HeadFault.FirstLine => "The first line is not one of HTTP/1.1.",
        HeadFault.Method => "The method is malformed.",
        HeadFault.Target => "The request target is malformed.",
        HeadFault.Path => "The path is malformed, or can be read in two ways.",
        HeadFault.Version => "The HTTP version is not one that is spoken here.",
        HeadFault.LineTooLong => "The request line is longer than the limit.",
        HeadFault.HeadTooLarge => "The header fields are larger than the limit.",
        HeadFault.TooManyFields => "There are more header fields than the limit.",
        HeadFault.FieldName => "The name of a header field is malformed.",
        HeadFault.FieldValue => "The value of a header field has a character that none may have.",
        HeadFault.LineEnd => "A line does not end in CR LF.",
        HeadFault.HostMissing => "The request has no Host.",
        HeadFault.HostTwice => "The request has more than one Host.",
        HeadFault.HostInvalid => "The Host is malformed.",
        HeadFault.HostContradicted => "The request target and the Host name different hosts.",
        HeadFault.ContentLength => "The Content-Length is no number, or there are two.",
        HeadFault.TwoLengths => "The request has a Content-Length beside its Transfer-Encoding.",
        HeadFault.TransferCoding => "The only transfer coding that is understood is chunked, alone and once.",
        HeadFault.Chunk => "The body is not in chunks as it says.",
        HeadFault.Trailers => "The trailers are malformed, or larger than the limit.",
        HeadFault.CutShort => "The message ends before its end.",
        _ => "The message is malformed.",
    };
}

/// <summary>What a head may measure.</summary>
/// <param name="LineBytes">Bytes of the first line.</param>
/// <param name="FieldsBytes">Bytes of all fields with their line ends.</param>
/// <param name="Fields">How many fields.</param>
public sealed record HeadLimits(int LineBytes, int FieldsBytes, int Fields)
{
    /// <summary>Bytes of a whole head.</summary>
    public int HeadBytes => LineBytes + FieldsBytes;
}
