using System.Buffers;
using System.Text;

namespace Groundwork.Wire.Http1;

/// <summary>
/// The head of an answer, read as strictly as a request's. Used like <see cref="RequestHead"/>. What body there is
/// depends on the request: <see cref="Expect"/> says what was asked before anything is read.
/// </summary>
public sealed class ResponseHead(HeadLimits limits)
{
    // HTAB, SP, VCHAR and obs-text (RFC 9112, 4).
    private static readonly SearchValues<byte> NotReason = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
            31, 127]);

    /// <summary>Bytes of <c>HTTP/1.1 200</c>.</summary>
    private const int StatusLength = 12;

    private (int At, int Length) reason;
    private int position;
    private int fieldsAt;
    private bool toHead;

    public FieldTable Fields { get; } = new();

    /// <summary>What was wrong, when <see cref="Parse"/> says that it is bad.</summary>
    public HeadFault Fault { get; private set; }

    /// <summary>Bytes of the whole head, among those that were appended.</summary>
    public int Length { get; private set; }

    public int Status { get; private set; }

    public ReadOnlySpan<byte> Reason => Fields.Slice(reason.At, reason.Length);

    public int MinorVersion { get; private set; }

    public BodyKind Body { get; private set; }

    /// <summary>What the length field says, be there a body or not; -1 when it does not say.</summary>
    public long ContentLength { get; private set; } = -1;

    /// <summary>True when the server will take another request on this connection.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>True when <c>Connection</c> names fields that end here.</summary>
    public bool NamesFields { get; private set; }

    /// <summary>True for 100 to 199: another head follows, or after 101 another protocol.</summary>
    public bool IsInterim => Status < 200;

    /// <summary>Says what was asked: answers to <c>HEAD</c> have no body, whatever they say.</summary>
    public void Expect(KnownMethod method) => toHead = method == KnownMethod.Head;

    public void Append(ReadOnlySpan<byte> bytes) => Fields.Append(bytes);

    public void Clear()
    {
        Fields.Clear();
        Reset();
    }

    /// <summary>As <see cref="Clear"/>; the buffer is given back besides, for an owner that rests.</summary>
    public void Release()
    {
        Fields.Release();
        Reset();
    }

    public HeadProgress Parse()
    {
        if (fieldsAt == 0)
        {
            var progress = ParseLine();
            if (progress != HeadProgress.Complete) return progress;
        }
        var read = Fields.Parse(ref position, fieldsAt, limits, out var fault);
        if (read == HeadProgress.Bad) return Refuse(fault);
        if (read == HeadProgress.Incomplete) return read;
        Length = position;
        Fields.CutTo(position);
        JudgeConnection();
        fault = JudgeBody();
        return fault == HeadFault.None ? HeadProgress.Complete : Refuse(fault);
    }

    /// <summary>True for a field that the answer's own <c>Connection</c> field takes out (RFC 9110, 7.6.1).</summary>
    public bool IsNamed(scoped in HeadField field) =>
        NamesFields && Fields.HasToken(KnownField.Connection, Fields.NameOf(field));

    private void Reset()
    {
        Fault = HeadFault.None;
        (position, fieldsAt, Length, Status) = (0, 0, 0, 0);
        reason = default;
        Body = BodyKind.None;
        ContentLength = -1;
        KeepAlive = NamesFields = false;
    }

    private HeadProgress Refuse(HeadFault fault)
    {
        Fault = fault;
        return HeadProgress.Bad;
    }

    private HeadProgress ParseLine()
    {
        var line = Fields.Bytes;
        // The first bytes tell at once whether it is HTTP at all.
        var begun = Math.Min(line.Length, 5);
        if (!line[..begun].SequenceEqual("HTTP/"u8[..begun])) return Refuse(HeadFault.FirstLine);
        if (line.Length < StatusLength + 1) return HeadProgress.Incomplete;
        if (line[5] != '1' || line[6] != '.' || line[7] is not ((byte)'0' or (byte)'1'))
            return Refuse(HeadFault.Version);
        if (line[8] != ' ' || !TryStatus(line.Slice(9, 3), out var status)) return Refuse(HeadFault.FirstLine);
        // A blank and a reason, or a blank alone, or, as many servers do it, nothing.
        var rest = line[StatusLength..];
        var end = rest.IndexOfAny(NotReason);
        if (end < 0)
            return line.Length > limits.LineBytes ? Refuse(HeadFault.LineTooLong) : HeadProgress.Incomplete;
        if (rest[end] != '\r') return Refuse(rest[end] == '\n' ? HeadFault.LineEnd : HeadFault.FirstLine);
        if (end + 1 == rest.Length) return HeadProgress.Incomplete;
        if (rest[end + 1] != '\n') return Refuse(HeadFault.LineEnd);
        if (end > 0 && rest[0] != ' ') return Refuse(HeadFault.FirstLine);
        if (StatusLength + end + 2 > limits.LineBytes) return Refuse(HeadFault.LineTooLong);
        Status = status;
        MinorVersion = line[7] - '0';
        reason = end > 0 ? (StatusLength + 1, end - 1) : default;
        position = fieldsAt = StatusLength + end + 2;
        return HeadProgress.Complete;
    }

    private static bool TryStatus(ReadOnlySpan<byte> digits, out int status)
    {
        status = ((digits[0] - '0') * 100) + ((digits[1] - '0') * 10) + digits[2] - '0';
        return !digits.ContainsAnyExceptInRange((byte)'0', (byte)'9') && status is >= 100 and <= 599;
    }

    private void JudgeConnection()
    {
        var (close, keep) = (false, false);
        if (Fields.Has(KnownField.Connection))
        {
            foreach (ref readonly var field in Fields.Fields)
            {
                if (field.Known != KnownField.Connection) continue;
                var rest = Fields.ValueOf(field);
                while (FieldTable.TryNextElement(ref rest, out var option))
                {
                    if (Ascii.EqualsIgnoreCase(option, "close"u8)) close = true;
                    else if (Ascii.EqualsIgnoreCase(option, "keep-alive"u8)) keep = true;
                    else NamesFields = true;
                }
            }
        }
        KeepAlive = !close && (MinorVersion == 1 || keep);
    }

    private HeadFault JudgeBody()
    {
        var fault = BodyRules.Read(Fields, MinorVersion, out var chunked, out var length);
        if (fault != HeadFault.None) return fault;
        // RFC 9112, 6.3: with a coding the length says nothing; but one of the two is a lie, and so the connection is
        // used no more.
        if (chunked && length >= 0)
        {
            length = -1;
            KeepAlive = false;
        }
        ContentLength = length;
        if (toHead || IsInterim || Status is 204 or 304) Body = BodyKind.None;
        else if (chunked) Body = BodyKind.Chunked;
        else if (length >= 0) Body = length == 0 ? BodyKind.None : BodyKind.Length;
        else Body = BodyKind.UntilClose;
        if (Body == BodyKind.UntilClose) KeepAlive = false;
        return HeadFault.None;
    }
}
