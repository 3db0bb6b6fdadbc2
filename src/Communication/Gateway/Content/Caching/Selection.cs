using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Content.Compression;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Caching;

/// <summary>
/// The request fields by which one of several answers to the same address was chosen (<c>Vary</c>), with their values.
/// </summary>
internal sealed class Selection : IEquatable<Selection>
{
    /// <summary>Fields that one answer may vary by: each request is compared with every answer.</summary>
    private const int MaxNames = 16;

    private readonly ImmutableArray<(byte[] Name, byte[] Value)> fields;

    private Selection(ImmutableArray<(byte[], byte[])> fields) => this.fields = fields;

    /// <summary>Bytes that it takes.</summary>
    public int Size => fields.Sum(one => one.Name.Length + one.Value.Length);

    /// <summary>Null for an answer that is for one request alone: <c>*</c>, or more fields than are kept.</summary>
    public static Selection? Of(FieldTable answer, IReadOnlyList<byte[]> always, FieldTable request)
    {
        var names = new List<byte[]>(always);
        foreach (ref readonly var field in answer.Fields)
        {
            if (field.Known != KnownField.Vary) continue;
            var rest = answer.ValueOf(field);
            while (FieldTable.TryNextElement(ref rest, out var name))
            {
                if (name.SequenceEqual("*"u8)) return null;
                var lower = Encoding.ASCII.GetBytes(Encoding.Latin1.GetString(name).ToLowerInvariant());
                if (!names.Exists(one => one.AsSpan().SequenceEqual(lower))) names.Add(lower);
            }
        }
        if (names.Count > MaxNames) return null;
        return new Selection([.. names.Select(name => (name, Write(request, name)))]);
    }

    public bool Takes(FieldTable request)
    {
        foreach (var (name, value) in fields)
            if (!IsSame(request, name, value)) return false;
        return true;
    }

    public bool Equals(Selection? other)
    {
        if (other is null || fields.Length != other.fields.Length) return false;
        for (var index = 0; index < fields.Length; index++)
            if (!fields[index].Name.AsSpan().SequenceEqual(other.fields[index].Name)
                || !fields[index].Value.AsSpan().SequenceEqual(other.fields[index].Value)) return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as Selection);

    public override int GetHashCode() => fields.Length;

    /// <summary>Tells requests apart that get different answers, as far as this one knows.</summary>
    public ulong KeyOf(FieldTable request)
    {
        var sum = 14695981039346656037UL; // FNV-1a: those it confuses only wait for each other.
        foreach (var (name, _) in fields)
            foreach (var one in Write(request, name)) sum = (sum ^ one) * 1099511628211UL;
        return sum;
    }

    private static bool IsSame(FieldTable request, byte[] name, byte[] value)
    {
        // One field as a rule, which is compared where it is.
        if (KnownFields.Find(name) == KnownField.AcceptEncoding && AcceptedCodings.All(request) is var codings
            && !codings.HasFlag(Coding.Other)) return value.AsSpan().SequenceEqual([(byte)'=', (byte)codings]);
        return Write(request, name).AsSpan().SequenceEqual(value);
    }

    // Absent, present and empty, and twice are three things.
    private static byte[] Write(FieldTable request, byte[] name)
    {
        if (KnownFields.Find(name) == KnownField.AcceptEncoding)
        {
            // Clients that take the same get the same, in whatever order they say so.
            var codings = AcceptedCodings.All(request);
            if (!codings.HasFlag(Coding.Other)) return [(byte)'=', (byte)codings];
        }
        var known = KnownFields.Find(name);
        byte[]? joined = null;
        foreach (ref readonly var field in request.Fields)
        {
            if (field.Known != known
                || (known == KnownField.Other && !Ascii.EqualsIgnoreCase(request.NameOf(field), name))) continue;
            joined = joined is null
                ? [(byte)':', .. request.ValueOf(field)] : [.. joined, (byte)',', .. request.ValueOf(field)];
        }
        return joined ?? [];
    }
}
