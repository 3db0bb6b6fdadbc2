using System.Buffers;
using System.Text;

namespace Groundwork.Wire.Http1;

/// <summary>How a message's body ends.</summary>
public enum BodyKind
{
    /// <summary>There is none.</summary>
    None,

    /// <summary>After so many bytes.</summary>
    Length,

    /// <summary>With the last chunk.</summary>
    Chunked,

    /// <summary>With the connection; of answers alone.</summary>
    UntilClose,
}

/// <summary>
/// The head of a request: read strictly, bounded, and normalised once, so that everybody who looks at it sees the same.
/// One object serves the requests of a connection after each other: <see cref="Append"/> bytes and <see cref="Parse"/>
/// until it is complete, <see cref="Clear"/> for the next. Spans are valid until then.
/// </summary>
public sealed class RequestHead(HeadLimits limits)
{
    /// <summary>Bytes of a method: the longest registered one has 17.</summary>
    public const int MaxMethodLength = 24;

    // RFC 3986 would encode some of these; servers see them every day, and none is special in a request line.
    private static readonly SearchValues<byte> TargetBytes = SearchValues.Create(
        "!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"u8);

    private (int At, int Length) method;
    private (int At, int Length) target;
    private (int At, int Length) path;
    private (int At, int Length) query;
    private (int At, int Length) authority;
    private (int At, int Length) host;
    private int begin; // Of the request line: a client may have sent an empty line before it.
    private int position; // Where the reading goes on; 0 until the request line has been read.
    private int fieldsAt;

    public FieldTable Fields { get; } = new();

    /// <summary>What was wrong, when <see cref="Parse"/> says that it is bad.</summary>
    public HeadFault Fault { get; private set; }

    /// <summary>Bytes of the whole head, among those that were appended.</summary>
    public int Length { get; private set; }

    public KnownMethod Method { get; private set; }

    public ReadOnlySpan<byte> MethodName => Fields.Slice(method.At, method.Length);

    /// <summary>As sent.</summary>
    public ReadOnlySpan<byte> Target => Fields.Slice(target.At, target.Length);

    /// <summary>In its normal form (<see cref="PathForm"/>); empty for <c>CONNECT</c> and <c>*</c>.</summary>
    public ReadOnlySpan<byte> Path => Fields.Slice(path.At, path.Length);

    /// <summary>As sent, with its <c>?</c>; or empty.</summary>
    public ReadOnlySpan<byte> Query => Fields.Slice(query.At, query.Length);

    /// <summary>What the request says it is for, as sent, with its port; empty when an HTTP/1.0 client does not say.
    /// </summary>
    public ReadOnlySpan<byte> Authority => Fields.Slice(authority.At, authority.Length);

    /// <summary>The same in its normal form (<see cref="HostForm"/>), without the port.</summary>
    public ReadOnlySpan<byte> Host => Fields.Slice(host.At, host.Length);

    /// <summary>0 or 1, of HTTP/1.</summary>
    public int MinorVersion { get; private set; }

    public BodyKind Body { get; private set; }

    /// <summary>Bytes of a body of <see cref="BodyKind.Length"/>, else 0.</summary>
    public long ContentLength { get; private set; }

    /// <summary>True when the client wants to send more requests on this connection.</summary>
    public bool KeepAlive { get; private set; }

    /// <summary>True when nothing of the body comes before somebody says <c>100 Continue</c>.</summary>
    public bool ExpectsContinue { get; private set; }

    /// <summary>True when <c>Connection</c> names fields that end here.</summary>
    public bool NamesFields { get; private set; }

    /// <summary>True once a byte of the head is there.</summary>
    public bool HasBegun => Fields.Filled > 0;

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
        fault = Judge();
        return fault == HeadFault.None ? HeadProgress.Complete : Refuse(fault);
    }

    /// <summary>True for a field that the client's own <c>Connection</c> field takes out (RFC 9110, 7.6.1).</summary>
    public bool IsNamed(scoped in HeadField field) => Names(Fields.NameOf(field));

    /// <summary>True for the name of a field, or of a trailer, that it takes out.</summary>
    public bool Names(scoped ReadOnlySpan<byte> name) =>
        NamesFields && Fields.HasToken(KnownField.Connection, name);

    private HeadProgress Refuse(HeadFault fault)
    {
        Fault = fault;
        return HeadProgress.Bad;
    }

    private void Reset()
    {
        Fault = HeadFault.None;
        (begin, position, fieldsAt, Length) = (0, 0, 0, 0);
        method = target = path = query = authority = host = default;
        Method = KnownMethod.Other;
        Body = BodyKind.None;
        ContentLength = 0;
        KeepAlive = ExpectsContinue = NamesFields = false;
    }

    private HeadProgress ParseLine()
    {
        var bytes = Fields.Bytes;
        // One empty line is a habit of old clients after a body (RFC 9112, 2.2).
        if (begin == 0 && bytes.Length > 0 && bytes[0] == '\r')
        {
            if (bytes.Length == 1) return HeadProgress.Incomplete;
            if (bytes[1] != '\n') return Refuse(HeadFault.LineEnd);
            begin = 2;
        }
        var line = bytes[begin..];
        var methodLength = line.IndexOfAnyExcept(FieldTable.TokenBytes);
        if (methodLength < 0) return line.Length > MaxMethodLength ? Refuse(HeadFault.Method) : HeadProgress.Incomplete;
        if (methodLength is 0 or > MaxMethodLength || line[methodLength] != ' ') return Refuse(HeadFault.Method);
        var rest = line[(methodLength + 1)..];
        var targetLength = rest.IndexOfAnyExcept(TargetBytes);
        if (targetLength < 0)
            return line.Length > limits.LineBytes ? Refuse(HeadFault.LineTooLong) : HeadProgress.Incomplete;
        if (targetLength == 0 || rest[targetLength] != ' ') return Refuse(HeadFault.Target);
        // " HTTP/1.1", CR LF: read to the end before it is judged, and no further.
        var version = rest[(targetLength + 1)..];
        var end = version.IndexOf((byte)'\n');
        if (end < 0)
            return version.Length > VersionLength ? Refuse(HeadFault.FirstLine) : HeadProgress.Incomplete;
        var lineLength = methodLength + targetLength + end + 3;
        if (lineLength > limits.LineBytes) return Refuse(HeadFault.LineTooLong);
        var fault = ParseVersion(version[..end]);
        if (fault != HeadFault.None) return Refuse(fault);
        method = (begin, methodLength);
        target = (begin + methodLength + 1, targetLength);
        Method = KnownMethods.Find(line[..methodLength]);
        position = fieldsAt = begin + lineLength;
        return HeadProgress.Complete;
    }

    /// <summary>Bytes of <c>HTTP/1.1</c> with the CR behind it.</summary>
    private const int VersionLength = 9;

    private HeadFault ParseVersion(ReadOnlySpan<byte> text)
    {
        if (text.Length != VersionLength || text[^1] != '\r')
            return text.StartsWith("HTTP/"u8) && (text.IsEmpty || text[^1] != '\r') ? HeadFault.LineEnd
                : HeadFault.FirstLine;
        if (!text.StartsWith("HTTP/"u8) || !char.IsAsciiDigit((char)text[5]) || text[6] != '.'
            || !char.IsAsciiDigit((char)text[7])) return HeadFault.FirstLine;
        if (text[5] != '1' || text[7] is not ((byte)'0' or (byte)'1')) return HeadFault.Version;
        MinorVersion = text[7] - '0';
        return HeadFault.None;
    }

    private HeadFault Judge()
    {
        JudgeConnection();
        var fault = JudgeTarget();
        return fault != HeadFault.None ? fault : JudgeBody();
    }

    private void JudgeConnection()
    {
        KeepAlive = MinorVersion == 1;
        if (!Fields.Has(KnownField.Connection)) return;
        var (close, keep) = (false, false);
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
        KeepAlive = !close && (KeepAlive || keep);
    }

    private HeadFault JudgeTarget()
    {
        var fault = JudgeHost(out var hostAt, out var hostLength);
        if (fault != HeadFault.None) return fault;
        var text = Target;
        var at = target.At;
        if (Method == KnownMethod.Connect) return SetHost(target, hostAt, hostLength);
        if (text[0] == '/') return SetPath(at, text.Length) ?? SetHost(null, hostAt, hostLength);
        if (text.SequenceEqual("*"u8))
            return Method == KnownMethod.Options ? SetHost(null, hostAt, hostLength) : HeadFault.Target;
        var scheme = text.IndexOf("://"u8);
        if (scheme < 0 || !(Ascii.EqualsIgnoreCase(text[..scheme], "http"u8)
            || Ascii.EqualsIgnoreCase(text[..scheme], "https"u8))) return HeadFault.Target;
        var named = at + scheme + 3;
        var end = text[(scheme + 3)..].IndexOfAny("/?#"u8);
        var length = end < 0 ? text.Length - scheme - 3 : end;
        fault = SetHost((named, length), hostAt, hostLength);
        if (fault != HeadFault.None) return fault;
        return SetPath(named + length, text.Length - scheme - 3 - length) ?? HeadFault.None;
    }

    // Exactly one in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112, 3.2).
    private HeadFault JudgeHost(out int at, out int length)
    {
        (at, length) = (0, -1);
        foreach (ref readonly var field in Fields.Fields)
        {
            if (field.Known != KnownField.Host) continue;
            if (length >= 0) return HeadFault.HostTwice;
            (at, length) = (field.ValueAt, field.ValueLength);
        }
        return length < 0 && MinorVersion == 1 ? HeadFault.HostMissing : HeadFault.None;
    }

    // The absolute form goes before the field; one that contradicts it is refused, since somebody before us may have
    // read the field.
    private HeadFault SetHost((int At, int Length)? absolute, int fieldAt, int fieldLength)
    {
        if (fieldLength < 0 && absolute is null) return HeadFault.None; // HTTP/1.0 without any.
        authority = absolute ?? (fieldAt, fieldLength);
        // Written behind the head. The room is asked for first: it may move the bytes.
        var output = Fields.Reserve(HostForm.MaxLength + 2);
        var length = HostForm.Normalize(Authority, output);
        if (length < 0) return HeadFault.HostInvalid;
        host = (Fields.Keep(length), length);
        if (absolute is null || fieldLength < 0) return HeadFault.None;
        return Ascii.EqualsIgnoreCase(Authority, Fields.Slice(fieldAt, fieldLength))
            ? HeadFault.None
            : HeadFault.HostContradicted;
    }

    // Null when there is nothing wrong with it.
    private HeadFault? SetPath(int at, int length)
    {
        var text = Fields.Slice(at, length);
        if (text.Contains((byte)'#')) return HeadFault.Target; // A fragment is never sent.
        var mark = text.IndexOf((byte)'?');
        var pathLength = mark < 0 ? length : mark;
        query = mark < 0 ? default : (at + mark, length - mark);
        if (pathLength == 0)
        {
            // "http://host" and "http://host?query" mean the root.
            Fields.Reserve(1)[0] = (byte)'/';
            path = (Fields.Keep(1), 1);
            return null;
        }
        if (PathForm.IsNormal(text[..pathLength], out var valid))
        {
            path = (at, pathLength);
            return null;
        }
        if (!valid) return HeadFault.Path;
        var output = Fields.Reserve(pathLength);
        var normal = PathForm.Normalize(Fields.Slice(at, pathLength), output);
        if (normal < 0) return HeadFault.Path;
        path = (Fields.Keep(normal), normal);
        return null;
    }

    private HeadFault JudgeBody()
    {
        var fault = BodyRules.Read(Fields, MinorVersion, out var chunked, out var length);
        if (fault != HeadFault.None) return fault;
        if (chunked && length >= 0) return HeadFault.TwoLengths;
        Body = chunked ? BodyKind.Chunked : length > 0 ? BodyKind.Length : BodyKind.None;
        ContentLength = Math.Max(0, length);
        ExpectsContinue = MinorVersion == 1 && Body != BodyKind.None
            && Ascii.EqualsIgnoreCase(Fields.First(KnownField.Expect), "100-continue"u8);
        return HeadFault.None;
    }
}
