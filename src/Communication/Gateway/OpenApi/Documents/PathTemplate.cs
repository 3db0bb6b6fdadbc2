using System.Collections.Immutable;
using System.Text;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>A path with parameters, such as <c>/pets/{id}</c>.</summary>
internal sealed record PathTemplate(ImmutableArray<SegmentTemplate> Segments, ImmutableArray<string> Names)
{
    /// <summary>Parameters of a path: their places are kept on the stack.</summary>
    public const int MaxCaptures = 16;

    /// <summary>Segments of a path: each is a call on the stack.</summary>
    public const int MaxSegments = 64;

    /// <summary>Null for what is no path; then why.</summary>
    public static PathTemplate? Parse(string text, out string wrong)
    {
        wrong = "";
        if (!text.StartsWith('/'))
        {
            wrong = "must begin with a slash";
            return null;
        }
        var pieces = text[1..].Split('/');
        var names = ImmutableArray.CreateBuilder<string>();
        var segments = ImmutableArray.CreateBuilder<SegmentTemplate>(pieces.Length);
        foreach (var piece in pieces)
        {
            if (SegmentTemplate.Parse(piece, names) is not { } segment)
            {
                wrong = "has a parameter that is none, or two without anything between";
                return null;
            }
            segments.Add(segment);
        }
        if (pieces.Length > MaxSegments) wrong = $"has more than {MaxSegments} segments";
        else if (names.Count > MaxCaptures) wrong = $"has more than {MaxCaptures} parameters";
        else if (names.Distinct(StringComparer.Ordinal).Count() < names.Count) wrong = "has a parameter twice";
        return wrong.Length > 0 ? null : new PathTemplate(segments.ToImmutable(), names.ToImmutable());
    }
}

/// <summary>A segment of a path: text, and parameters between.</summary>
/// <param name="Texts">One more than there are parameters.</param>
internal sealed record SegmentTemplate(ImmutableArray<byte[]> Texts)
{
    public byte[]? Plain => Texts.Length == 1 ? Texts[0] : null;

    public int PlainBytes { get; } = Texts.Sum(text => text.Length);

    public static SegmentTemplate? Parse(string text, ImmutableArray<string>.Builder names)
    {
        var texts = ImmutableArray.CreateBuilder<byte[]>();
        while (true)
        {
            var open = text.IndexOf('{', StringComparison.Ordinal);
            var plain = open < 0 ? text : text[..open];
            // Two parameters side by side could be cut anywhere.
            if (plain.Contains('}', StringComparison.Ordinal) || (open >= 0 && plain.Length == 0 && texts.Count > 0))
                return null;
            texts.Add(Encode(plain));
            if (open < 0) return new SegmentTemplate(texts.ToImmutable());
            var close = text.IndexOf('}', open);
            if (close <= open + 1) return null;
            names.Add(text[(open + 1)..close]);
            text = text[(close + 1)..];
        }
    }

    public bool IsLike(SegmentTemplate other) =>
        Texts.Length == other.Texts.Length && Texts.Zip(other.Texts).All(pair => pair.First.SequenceEqual(pair.Second));

    /// <summary>A parameter is not empty, and ends at the last of what follows it, as <c>a.b.json</c> is <c>a.b</c> and
    /// <c>json</c>.</summary>
    public bool TryMatch(ReadOnlySpan<byte> segment, int at, Span<Capture> captures, int captured, out int count)
    {
        count = captured;
        if (segment.Length < PlainBytes || !segment.StartsWith(Texts[0]) || !segment.EndsWith(Texts[^1])) return false;
        var last = Texts.Length - 2; // Of the parameters: there is one more text.
        var end = segment.Length - Texts[^1].Length;
        for (var index = last; index >= 0; index--)
        {
            var from = Texts[0].Length;
            if (index > 0)
            {
                // One byte at least is left for the parameter before, and one for this.
                if (end - from < 2) return false;
                var found = segment[(from + 1)..(end - 1)].LastIndexOf(Texts[index]);
                if (found < 0) return false;
                from += 1 + found + Texts[index].Length;
            }
            if (end <= from) return false;
            captures[captured + index] = new Capture(at + from, end - from);
            end = from - (index > 0 ? Texts[index].Length : 0);
        }
        count = captured + last + 1;
        return true;
    }

    // As it stands in the normal form of a path.
    private static byte[] Encode(string plain)
    {
        var bytes = new List<byte>();
        foreach (var one in Encoding.UTF8.GetBytes(plain))
        {
            if (one is > (byte)' ' and < 0x7F) bytes.Add(one);
            else bytes.AddRange(Encoding.ASCII.GetBytes($"%{one:X2}"));
        }
        return [.. bytes];
    }
}
