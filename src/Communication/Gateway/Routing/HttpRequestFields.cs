using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Groundwork.Communication.Gateway.Routing;

/// <summary>The fields of a request that the framework's server has read, as bytes.</summary>
internal sealed class HttpRequestFields(IHeaderDictionary headers) : IRequestFields
{
    public bool TryGetNext(
        scoped ReadOnlySpan<byte> name, scoped ref int from, out ReadOnlySpan<byte> value)
    {
        value = [];
        var values = headers.TryGetValue(Encoding.ASCII.GetString(name), out var found) ? found : StringValues.Empty;
        if (from >= values.Count) return false;
        value = Encoding.Latin1.GetBytes(values[from++] ?? "").AsSpan().Trim(" \t"u8);
        return true;
    }
}
