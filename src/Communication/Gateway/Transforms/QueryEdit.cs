using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using Groundwork.Communication.Gateway.Routing;

namespace Groundwork.Communication.Gateway.Transforms;

/// <summary>What a route does to the query: compiled. What it does not name stays as it was sent.</summary>
internal sealed class QueryEdit
{
    private readonly ImmutableArray<byte[]> removed; // Also those that are set.
    private readonly ImmutableArray<(byte[] Name, TextTemplate Value)> written;

    private QueryEdit(ImmutableArray<byte[]> removed, ImmutableArray<(byte[] Name, TextTemplate Value)> written)
    {
        this.removed = removed;
        this.written = written;
    }

    /// <summary>Null when there is nothing to do.</summary>
    public static QueryEdit? Compile(QueryChange? spec, PathPattern path)
    {
        if (spec is null) return null;
        var set = spec.Set ?? ImmutableDictionary<string, string>.Empty;
        return new QueryEdit(
            [.. (spec.Remove ?? []).Concat(set.Keys).Select(Encoding.UTF8.GetBytes)],
            [
                .. set.Concat(spec.Add ?? ImmutableDictionary<string, string>.Empty)
                    .Select(pair => (Encoding.ASCII.GetBytes(Uri.EscapeDataString(pair.Key)),
                        TextTemplate.Parse(pair.Value, path))),
            ]);
    }

    /// <summary>The query without its <c>?</c>.</summary>
    public byte[] Write(in RequestView view, PathParameters parameters)
    {
        var output = new ArrayBufferWriter<byte>(view.Query.Length + 64);
        foreach (var range in view.Query.Split((byte)'&'))
        {
            var parameter = view.Query[range];
            var equals = parameter.IndexOf((byte)'=');
            if (parameter.IsEmpty || Removes(equals < 0 ? parameter : parameter[..equals])) continue;
            Separate(output);
            output.Write(parameter);
        }
        foreach (var (name, value) in written)
        {
            Separate(output);
            output.Write(name);
            output.Write("="u8);
            foreach (var one in value.Write(view, parameters)) Escape(output, one);
        }
        return output.WrittenSpan.ToArray();
    }

    private bool Removes(ReadOnlySpan<byte> name)
    {
        foreach (var one in removed)
            if (QueryText.Means(name, one)) return true;
        return false;
    }

    private static void Separate(ArrayBufferWriter<byte> output)
    {
        if (output.WrittenCount > 0) output.Write("&"u8);
    }

    // What comes from the path is escaped already, and who writes a % means one.
    private static void Escape(ArrayBufferWriter<byte> output, byte one)
    {
        if (char.IsAsciiLetterOrDigit((char)one) || "-._~%/:@!$'()*,;=?"u8.Contains(one)) output.Write([one]);
        else output.Write([(byte)'%', Hex(one >> 4), Hex(one & 15)]);
    }

    private static byte Hex(int digit) => (byte)(digit < 10 ? '0' + digit : 'A' + digit - 10);
}
