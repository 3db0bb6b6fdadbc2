using System.Collections.Immutable;
using System.Text;
using Groundwork.Kernel.Schemas;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.OpenApi.Documents;

/// <summary>What a body is read as.</summary>
internal enum BodyShape
{
    /// <summary>What is not looked into.</summary>
    Unread,
    Json,
    Form,
}

/// <summary>The body of an operation.</summary>
/// <param name="Expected">The types it takes, for messages.</param>
internal sealed record ApiBody(bool Required, ImmutableArray<ApiMedia> Media, string Expected)
{
    /// <summary>The first that fits, the narrower before the wider; null for a type that it does not take.</summary>
    public ApiMedia? Find(ReadOnlySpan<byte> contentType)
    {
        var end = contentType.IndexOf((byte)';');
        var type = (end < 0 ? contentType : contentType[..end]).Trim(" \t"u8);
        foreach (var media in Media)
            if (media.Takes(type)) return media;
        return null;
    }
}

/// <summary>One type of media of a body. Changes only while its document is read.</summary>
/// <param name="Type">In lower case, such as <c>application/json</c>, <c>text/*</c> or <c>*/*</c>.</param>
internal sealed record ApiMedia(string Type, BodyShape Shape)
{
    private readonly byte[] bytes = Encoding.ASCII.GetBytes(Type.TrimEnd('*'));

    public JsonSchema? Schema { get; set; }

    /// <summary>Of a form, the members that its schema names, and which of them are lists.</summary>
    public ImmutableDictionary<string, bool> Members { get; set; } = ImmutableDictionary<string, bool>.Empty;

    /// <summary>0 for a type, 1 for a range of them, 2 for any.</summary>
    public int Width => Type == "*/*" ? 2 : Type.EndsWith('*') ? 1 : 0;

    public bool Takes(ReadOnlySpan<byte> type) => Width switch
    {
        0 => Ascii.EqualsIgnoreCase(type, bytes),
        1 => type.Length > bytes.Length && Ascii.EqualsIgnoreCase(type[..bytes.Length], bytes),
        _ => !type.IsEmpty,
    };
}
