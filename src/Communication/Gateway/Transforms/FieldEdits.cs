using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Transforms;

/// <summary>One header field that is written.</summary>
internal readonly record struct WrittenField(byte[] Name, byte[] Value);

/// <summary>What a route does to header fields: compiled.</summary>
internal sealed class FieldEdits
{
    private const int MaxFieldsOfHead = 256;

    private readonly ImmutableArray<byte[]> removed; // Lower case; also those that are set and renamed.
    private readonly ImmutableArray<(byte[] From, byte[] To)> renamed;
    private readonly ImmutableArray<(byte[] Name, TextTemplate Value)> written;

    private FieldEdits(
        ImmutableArray<byte[]> removed, ImmutableArray<(byte[] From, byte[] To)> renamed,
        ImmutableArray<(byte[] Name, TextTemplate Value)> written)
    {
        this.removed = removed;
        this.renamed = renamed;
        this.written = written;
    }

    /// <summary>Null when there is nothing to do.</summary>
    public static FieldEdits? Compile(FieldChange? spec, PathPattern path)
    {
        if (spec is null) return null;
        var set = spec.Set ?? ImmutableDictionary<string, string>.Empty;
        var rename = spec.Rename ?? ImmutableDictionary<string, string>.Empty;
        return new FieldEdits(
            [.. (spec.Remove ?? []).Concat(set.Keys).Concat(rename.Keys).Select(Lower)],
            [.. rename.Select(pair => (Lower(pair.Key), Encoding.ASCII.GetBytes(pair.Value)))],
            [
                .. set.Concat(spec.Add ?? ImmutableDictionary<string, string>.Empty)
                    .Select(pair => (Encoding.ASCII.GetBytes(pair.Key), TextTemplate.Parse(pair.Value, path))),
            ]);
    }

    /// <summary>Bytes that new names may take: heads have at most so many fields.</summary>
    public int RenamedBytes => renamed.Sum(pair => pair.To.Length) * MaxFieldsOfHead;

    /// <summary>True for a field that is not passed on as it came.</summary>
    public bool Removes(ReadOnlySpan<byte> name) => Contains(name, removed.AsSpan());

    /// <summary>The new name of a field; empty when it has none.</summary>
    public ReadOnlySpan<byte> NewNameOf(ReadOnlySpan<byte> name)
    {
        foreach (var (from, to) in renamed)
            if (Ascii.EqualsIgnoreCase(name, from)) return to;
        return [];
    }

    /// <summary>The fields that are set and added.</summary>
    public void Write(in RequestView view, PathParameters parameters, ICollection<WrittenField> output)
    {
        foreach (var (name, value) in written)
            output.Add(new WrittenField(name, value.Write(view, parameters)));
    }

    /// <summary>The fields of a request that go on under a new name.</summary>
    public void Rename(IRequestFields fields, ICollection<WrittenField> output)
    {
        foreach (var (from, to) in renamed)
        {
            var at = 0;
            while (fields.TryGetNext(from, ref at, out var value)) output.Add(new WrittenField(to, value.ToArray()));
        }
    }

    private static bool Contains(ReadOnlySpan<byte> name, ReadOnlySpan<byte[]> names)
    {
        foreach (var one in names)
            if (Ascii.EqualsIgnoreCase(name, one)) return true;
        return false;
    }

    private static byte[] Lower(string name) => Encoding.ASCII.GetBytes(name.ToLowerInvariant());
}
