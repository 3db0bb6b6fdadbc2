using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>Whether an answer is kept, and for how long (RFC 9111, 3 and 4.2).</summary>
internal sealed class StorageRules
{
    /// <summary>Of a heuristic: a day, after which RFC 9111 would have it warn.</summary>
    private const long MostHeuristicSeconds = 86_400;

    /// <summary>Tags of one answer.</summary>
    private const int MaxTags = 64;

    private static readonly HeadLimits Limits = new(LineBytes: 16 * 1024, FieldsBytes: 256 * 1024, Fields: 512);

    private readonly CacheSpec spec;
    private readonly StatusTimes times;
    private readonly byte[] tagHeader;
    private readonly ImmutableArray<byte[]> vary;

    public StorageRules(CacheSpec spec)
    {
        this.spec = spec;
        times = new StatusTimes(spec.TtlSeconds);
        tagHeader = Encoding.ASCII.GetBytes(spec.TagHeader);
        vary = [.. (spec.Vary ?? []).Select(name => Encoding.ASCII.GetBytes(name.ToLowerInvariant()))];
        MaxBodyBytes = spec.MaxBodyKilobytes * 1024;
    }

    public int MaxBodyBytes { get; }

    /// <summary>Whether this answer may be kept at all, as far as its head says; and why not.</summary>
    public string? Refuse(Exchange exchange, AnswerHead head, CacheControl ofRequest, out CacheControl control)
    {
        control = CacheControl.None;
        if (head.From is { Body: BodyKind.UntilClose }) return "end unknown"; // It may have been cut.
        if (head.Status is < 200 or 206 or 304) return "status";
        if (head.ContentLength > MaxBodyBytes) return "large";
        if (!head.Find("content-range"u8).IsEmpty) return "part";
        control = head.From is { } from && head.LeavesFields
            ? CacheControl.Read(from.Fields) : CacheControl.Read(Describe(head).Fields);
        if (control.NoStore && !(control.MustUnderstand && IsUnderstood(head.Status))) return "no-store";
        if (control.Private) return "private";
        if (ofRequest.NoStore) return "request no-store";
        if (!spec.WithSetCookie && !head.Find("set-cookie"u8).IsEmpty) return "set-cookie";
        if (exchange.Request.Fields.Has(KnownField.Authorization)
            && !(spec.WithAuthorization && (control.Public || control.MustRevalidate || control.SharedMaxAge >= 0)))
            return "authorization";
        return null;
    }

    /// <summary>Makes of a head and a body what is kept; null for what is not worth it, or for one request alone.
    /// </summary>
    public StoredAnswer? Make(
        Exchange exchange, AnswerHead head, CacheControl control, DateTimeOffset asked, DateTimeOffset now)
    {
        var described = Describe(head);
        var fields = described.Fields;
        // As the instance wrote it, for that is what it knows again.
        var tag = head.From is { } from ? from.Fields.First(KnownField.ETag) : fields.First(KnownField.ETag);
        return Make(described, default, exchange.Request.Fields, tag, control, asked, now);
    }

    /// <summary>What is kept once the origin has said that it still holds (RFC 9111, 4.3.4).</summary>
    public StoredAnswer? Freshen(
        StoredAnswer old, Exchange exchange, AnswerHead head, DateTimeOffset asked, DateTimeOffset now)
    {
        var newer = Describe(head);
        var merged = new StringBuilder();
        Start(merged, old.Head.Status, Encoding.Latin1.GetString(old.Head.Reason));
        foreach (ref readonly var field in old.Head.Fields.Fields)
            if (!IsUpdated(newer.Fields, old.Head.Fields.NameOf(field)))
                Append(merged, old.Head.Fields.NameOf(field), old.Head.Fields.ValueOf(field));
        foreach (ref readonly var field in newer.Fields.Fields)
            if (MayUpdate(newer.Fields.NameOf(field)))
                Append(merged, newer.Fields.NameOf(field), newer.Fields.ValueOf(field));
        var described = Parse(merged);
        return Make(
            described, old.Body, exchange.Request.Fields, old.ETag, CacheControl.Read(described.Fields), asked, now,
            newer.Fields);
    }

    private StoredAnswer? Make(
        ResponseHead head, ReadOnlyMemory<byte> body, FieldTable request, ReadOnlySpan<byte> tag,
        CacheControl control, DateTimeOffset asked, DateTimeOffset now, FieldTable? aged = null)
    {
        var fields = head.Fields;
        var date = HttpDates.Read(fields.First(KnownField.Date)) ?? now;
        var modified = HttpDates.Read(fields.First(KnownField.LastModified));
        var age = (aged ?? fields).TryGet("age"u8, out var said) && long.TryParse(said, out var seconds)
            ? Math.Max(0, seconds) : 0;
        // RFC 9111, 4.2.3.
        var apparent = Math.Max(0, (long)(now - date).TotalSeconds);
        var corrected = age + Math.Max(0, (long)(now - asked).TotalSeconds);
        if (Lifetime(head, control, date, modified) is not { } lifetime) return null;
        var initial = times.Of(head.Status) is null ? Math.Max(apparent, corrected) : 0;
        var forbids = control.MustRevalidate || control.ProxyRevalidate || control.NoCache;
        var leavesToRoute = !control.ForbidsStale;
        if (Selection.Of(fields, vary, request) is not { } selection) return null;
        var stored = new StoredAnswer
        {
            Head = WithoutAge(head),
            Body = body,
            Selection = selection,
            Came = now,
            InitialAge = initial,
            Lifetime = lifetime,
            StaleWhileRevalidate = forbids ? 0 : control.StaleWhileRevalidate >= 0
                ? control.StaleWhileRevalidate : leavesToRoute ? spec.StaleWhileRevalidateSeconds : 0,
            StaleIfError = forbids ? 0 : control.StaleIfError >= 0
                ? control.StaleIfError : leavesToRoute ? spec.StaleIfErrorSeconds : 0,
            ForbidsStale = control.ForbidsStale,
            NoCache = control.NoCache,
            ETag = tag.ToArray(),
            LastModified = fields.First(KnownField.LastModified).ToArray(),
            Modified = modified,
            Tags = TagsOf(fields),
        };
        var useful = stored.IsFreshAt(now) || stored.HasValidator || stored.StaleIfError > 0
            || stored.StaleWhileRevalidate > 0;
        return useful ? stored : null;
    }

    // Null: nobody says that it may be kept.
    private long? Lifetime(
        ResponseHead head, CacheControl control, DateTimeOffset date, DateTimeOffset? modified)
    {
        if (times.Of(head.Status) is { } told) return told;
        if (control.SharedMaxAge >= 0) return control.SharedMaxAge;
        if (control.MaxAge >= 0) return control.MaxAge;
        if (head.Fields.TryGet("expires"u8, out var expires))
            return HttpDates.Read(expires) is { } until ? Math.Max(0, (long)(until - date).TotalSeconds) : 0;
        if (spec.Heuristic && modified is { } last && last < date && IsHeuristic(head.Status))
            return Math.Min(MostHeuristicSeconds, (long)(date - last).TotalSeconds / 10);
        return control.Public || control.NoCache ? 0 : null;
    }

    // RFC 9110, 15.1.
    private static bool IsHeuristic(int status) =>
        status is 200 or 203 or 204 or 300 or 301 or 308 or 404 or 405 or 410 or 414 or 501;

    private static bool IsUnderstood(int status) => IsHeuristic(status) || status is 302 or 303 or 307;

    private ImmutableArray<string> TagsOf(FieldTable fields)
    {
        if (!fields.TryGet(tagHeader, out _)) return [];
        var tags = ImmutableArray.CreateBuilder<string>();
        foreach (ref readonly var field in fields.Fields)
        {
            if (!Ascii.EqualsIgnoreCase(fields.NameOf(field), tagHeader)) continue;
            // Both habits: a list with commas, and one with blanks.
            foreach (var tag in Encoding.Latin1.GetString(fields.ValueOf(field))
                .Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
                if (tags.Count < MaxTags) tags.Add(tag);
        }
        return tags.ToImmutable();
    }

    // The head as clients get it, but for what is added for one of them.
    private static ResponseHead Describe(AnswerHead head)
    {
        var text = new StringBuilder();
        Start(text, head.Status, head.From is { } said ? Encoding.Latin1.GetString(said.Reason)
            : Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(head.Status));
        if (head.From is { } from)
        {
            foreach (ref readonly var field in from.Fields.Fields)
                if (head.NameOf(from, field) is { IsEmpty: false } name)
                    Append(text, name, from.Fields.ValueOf(field));
            if (head.Transformed is { } transformed)
                foreach (var field in transformed.AnswerFields)
                    if (!head.IsDropped(field.Name)) Append(text, field.Name, field.Value);
        }
        foreach (var (name, value) in head.Own)
            Append(text, Encoding.Latin1.GetBytes(name), Encoding.Latin1.GetBytes(value));
        return Parse(text);
    }

    private static ResponseHead WithoutAge(ResponseHead head)
    {
        if (!head.Fields.TryGet("age"u8, out _)) return head;
        var text = new StringBuilder();
        Start(text, head.Status, Encoding.Latin1.GetString(head.Reason));
        foreach (ref readonly var field in head.Fields.Fields)
            if (!Ascii.EqualsIgnoreCase(head.Fields.NameOf(field), "age"u8))
                Append(text, head.Fields.NameOf(field), head.Fields.ValueOf(field));
        return Parse(text);
    }

    private static bool IsUpdated(FieldTable newer, ReadOnlySpan<byte> name) =>
        MayUpdate(name) && newer.TryGet(name, out _);

    // What tells how the kept bytes are coded is of those bytes, and their tag is the one that clients have.
    private static bool MayUpdate(ReadOnlySpan<byte> name) =>
        KnownFields.Find(name) is not (KnownField.ContentEncoding or KnownField.ContentType or KnownField.ContentRange
            or KnownField.ContentLength or KnownField.ETag);

    private static void Start(StringBuilder text, int status, string reason) =>
        text.Append("HTTP/1.1 ").Append(status).Append(' ').Append(reason).Append("\r\n");

    private static void Append(StringBuilder text, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        text.Append(Encoding.Latin1.GetString(name)).Append(": ").Append(Encoding.Latin1.GetString(value))
            .Append("\r\n");

    private static ResponseHead Parse(StringBuilder text)
    {
        var head = new ResponseHead(Limits);
        head.Append(Encoding.Latin1.GetBytes(text.Append("\r\n").ToString()));
        if (head.Parse() != HeadProgress.Complete)
            throw new InvalidOperationException($"A head of ours cannot be read: {HeadFaults.Explain(head.Fault)}");
        return head;
    }
}
