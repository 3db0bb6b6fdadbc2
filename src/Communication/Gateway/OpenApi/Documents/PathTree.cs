using Groundwork.Communication.Gateway.Limits;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>
/// Finds the path of a document that a request's path is: segment by segment, those without parameters first. Never
/// looks at more places than the document has.
/// </summary>
internal sealed class PathTree
{
    private readonly Place root = new();

    /// <summary>False where another stands for the same requests.</summary>
    public bool TryAdd(PathTemplate template, ApiPath path)
    {
        var place = root;
        foreach (var segment in template.Segments) place = place.Below(segment);
        if (place.Path is not null) return false;
        place.Path = path;
        return true;
    }

    /// <param name="path">Begins with a slash.</param>
    /// <param name="captures">Room for <see cref="PathTemplate.MaxCaptures"/>.</param>
    public ApiPath? Find(ReadOnlySpan<byte> path, Span<Capture> captures) => Find(root, path, 1, captures, 0);

    private static ApiPath? Find(Place place, ReadOnlySpan<byte> path, int from, Span<Capture> captures, int captured)
    {
        if (from > path.Length) return place.Path;
        var length = path[from..].IndexOf((byte)'/');
        if (length < 0) length = path.Length - from;
        var segment = path.Slice(from, length);
        if (place.Plain?.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(segment, out var next) == true
            && Find(next, path, from + length + 1, captures, captured) is { } plain) return plain;
        if (place.Templates is null) return null;
        foreach (var (template, below) in place.Templates)
            if (template.TryMatch(segment, from, captures, captured, out var more)
                && Find(below, path, from + length + 1, captures, more) is { } found) return found;
        return null;
    }

    private sealed class Place
    {
        public ApiPath? Path { get; set; }

        public Dictionary<byte[], Place>? Plain { get; private set; }

        public List<(SegmentTemplate Template, Place Below)>? Templates { get; private set; }

        public Place Below(SegmentTemplate segment)
        {
            if (segment.Plain is { } plain)
            {
                Plain ??= new Dictionary<byte[], Place>(KeyBytes.Comparer);
                if (!Plain.TryGetValue(plain, out var below)) Plain[plain] = below = new Place();
                return below;
            }
            Templates ??= [];
            foreach (var (template, known) in Templates)
                if (template.IsLike(segment)) return known;
            var place = new Place();
            Templates.Add((segment, place));
            // The one with more of its own text goes first: {name}.json before {name}.
            Templates.Sort((one, other) => other.Template.PlainBytes.CompareTo(one.Template.PlainBytes));
            return place;
        }
    }
}

/// <summary>Where in a path a parameter's value stands.</summary>
internal readonly record struct Capture(int At, int Length);
