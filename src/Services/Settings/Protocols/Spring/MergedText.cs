using System.Buffers;
using System.Text;
using System.Text.Json;
using Groundwork.Kernel.Documents;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Groundwork.Services.Settings.Protocols.Spring;

/// <summary>Merged properties as the text of a file.</summary>
internal static class MergedText
{
    public static string ToProperties(MergedProperties properties) =>
        string.Join('\n', properties.All.Select(one => $"{one.Key}: {one.Value.Text}"));

    public static string ToJson(MergedProperties properties)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        Write(json, properties.ToTree());
        json.Flush();
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    public static string ToYaml(MergedProperties properties)
    {
        var tree = properties.ToTree();
        if (tree.Count == 0) return "{}\n";
        var text = new StringWriter { NewLine = "\n" };
        var emitter = new Emitter(text);
        emitter.Emit(new StreamStart());
        emitter.Emit(new DocumentStart(null, null, isImplicit: true));
        Emit(emitter, tree);
        emitter.Emit(new DocumentEnd(isImplicit: true));
        emitter.Emit(new StreamEnd());
        return text.ToString();
    }

    private static void Write(Utf8JsonWriter json, object? node)
    {
        switch (node)
        {
            case Dictionary<string, object> map:
                json.WriteStartObject();
                foreach (var (name, below) in map)
                {
                    json.WritePropertyName(name);
                    Write(json, below);
                }
                json.WriteEndObject();
                break;
            case List<object?> list:
                json.WriteStartArray();
                foreach (var item in list) Write(json, item);
                json.WriteEndArray();
                break;
            case PropertyValue value:
                EnvironmentJson.Write(json, value);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    private static void Emit(Emitter emitter, object? node)
    {
        switch (node)
        {
            case Dictionary<string, object> map:
                emitter.Emit(new MappingStart());
                foreach (var (name, below) in map)
                {
                    EmitText(emitter, name);
                    Emit(emitter, below);
                }
                emitter.Emit(new MappingEnd());
                break;
            case List<object?> list:
                emitter.Emit(new SequenceStart(AnchorName.Empty, TagName.Empty, isImplicit: true, SequenceStyle.Block));
                foreach (var item in list) Emit(emitter, item);
                emitter.Emit(new SequenceEnd());
                break;
            case PropertyValue { IsText: true } value:
                EmitText(emitter, value.Text);
                break;
            case PropertyValue value:
                emitter.Emit(new Scalar(value.Text));
                break;
            default:
                emitter.Emit(new Scalar("null"));
                break;
        }
    }

    // Text that would be read as something else stands in quotes; yes and no do, too, for readers of YAML 1.1.
    private static void EmitText(Emitter emitter, string text)
    {
        var isPlain = CoreSchema.IsText(text) && !IsOldBoolean(text);
        emitter.Emit(new Scalar(
            AnchorName.Empty, TagName.Empty, text, isPlain ? ScalarStyle.Any : ScalarStyle.DoubleQuoted,
            isPlainImplicit: true, isQuotedImplicit: true));
    }

    private static bool IsOldBoolean(string text) =>
        text.ToUpperInvariant() is "Y" or "N" or "YES" or "NO" or "ON" or "OFF";
}
