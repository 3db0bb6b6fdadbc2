using System.Diagnostics.CodeAnalysis;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>
/// A node of a radix tree over bytes: immutable, so that an edit copies the nodes from the root to the place and
/// shares the rest. The byte 0 in a key stands for one whole segment of a path, whatever it is.
/// </summary>
internal sealed class RadixNode<TValue>
    where TValue : class, IRadixValue
{
    /// <summary>Stands for a segment in keys; no host and no path has this byte.</summary>
    public const byte AnySegment = 0;

    private readonly byte[] label;
    private readonly byte[] firsts; // firsts[i] is the first byte of the label of children[i].
    private readonly RadixNode<TValue>[] children;

    private RadixNode(byte[] label, TValue? value, RadixNode<TValue>[] children, RadixNode<TValue>? segment)
    {
        this.label = label;
        this.children = children;
        Value = value;
        Segment = segment;
        firsts = new byte[children.Length];
        var marks = value?.Marks ?? RadixMarks.None;
        for (var index = 0; index < children.Length; index++)
        {
            firsts[index] = children[index].label[0];
            marks |= children[index].Marks;
        }
        Marks = segment is null ? marks : marks | Below(segment.Marks);
    }

    public static RadixNode<TValue> Empty { get; } = new([], null, [], null);

    /// <summary>The bytes between the parent's end and this node's.</summary>
    public ReadOnlySpan<byte> Label => label;

    public TValue? Value { get; }

    /// <summary>Where a key goes on after a segment that may be anything.</summary>
    public RadixNode<TValue>? Segment { get; }

    /// <summary>What there is here and below, so that a search need not look for what is nowhere.</summary>
    public RadixMarks Marks { get; }

    public bool IsEmpty => Value is null && Segment is null && children.Length == 0;

    /// <summary>The child that the bytes lead to, when all of its label is there.</summary>
    public bool TryStep(ReadOnlySpan<byte> rest, [NotNullWhen(true)] out RadixNode<TValue>? child)
    {
        child = null;
        if (rest.IsEmpty) return false;
        var index = firsts.AsSpan().IndexOf(rest[0]);
        if (index < 0) return false;
        child = children[index];
        return rest.StartsWith(child.label);
    }

    /// <summary>The tree with what the edit makes of the value at the key; null takes it away.</summary>
    public RadixNode<TValue> Edit(ReadOnlySpan<byte> key, Func<TValue?, TValue?> edit)
    {
        if (key.IsEmpty) return new RadixNode<TValue>(label, edit(Value), children, Segment);
        if (key[0] == AnySegment)
        {
            var segment = (Segment ?? Empty).Edit(key[1..], edit);
            return new RadixNode<TValue>(label, Value, children, segment.IsEmpty ? null : segment);
        }
        var end = key.IndexOf(AnySegment);
        var literal = end < 0 ? key : key[..end];
        var index = firsts.AsSpan().IndexOf(literal[0]);
        if (index < 0)
        {
            var added = new RadixNode<TValue>(literal.ToArray(), null, [], null).Edit(key[literal.Length..], edit);
            return added.IsEmpty ? this : new RadixNode<TValue>(label, Value, [.. children, added], Segment);
        }
        var shared = literal.CommonPrefixLength(children[index].label);
        return WithChild(index, children[index].Cut(shared).Edit(key[shared..], edit).Joined());
    }

    // The same tree with a node that ends after so many bytes of this one's label.
    private RadixNode<TValue> Cut(int length) => length == label.Length
        ? this
        : new RadixNode<TValue>(
            label[..length], null, [new RadixNode<TValue>(label[length..], Value, children, Segment)], null);

    // A node that only leads on to one other is one with it.
    private RadixNode<TValue> Joined() => Value is null && Segment is null && children is [var only]
        ? new RadixNode<TValue>([.. label, .. only.label], only.Value, only.children, only.Segment)
        : this;

    private RadixNode<TValue> WithChild(int index, RadixNode<TValue> child)
    {
        RadixNode<TValue>[] next = child.IsEmpty
            ? [.. children[..index], .. children[(index + 1)..]]
            : [.. children];
        if (!child.IsEmpty) next[index] = child;
        return new RadixNode<TValue>(label, Value, next, Segment);
    }

    private static RadixMarks Below(RadixMarks marks)
    {
        var below = marks & RadixMarks.Prefix;
        return (marks & (RadixMarks.Whole | RadixMarks.WholeAfterSegment)) == RadixMarks.None
            ? below
            : below | RadixMarks.WholeAfterSegment;
    }
}

/// <summary>What hangs at a node of a radix tree.</summary>
internal interface IRadixValue
{
    /// <summary><see cref="RadixMarks.Whole"/> and <see cref="RadixMarks.Prefix"/>, as it has them.</summary>
    RadixMarks Marks { get; }
}

/// <summary>What a subtree has.</summary>
[Flags]
internal enum RadixMarks
{
    None = 0,

    /// <summary>Values for keys that end at a node.</summary>
    Whole = 1,

    /// <summary>Values for keys that go on below a node.</summary>
    Prefix = 2,

    /// <summary>Values for keys that end somewhere after a segment that may be anything.</summary>
    WholeAfterSegment = 4,
}
