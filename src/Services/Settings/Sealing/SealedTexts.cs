using System.Text;
using System.Text.RegularExpressions;
using Groundwork.Kernel.Security;
using Groundwork.Services.Settings.Formats;
using Groundwork.Services.Settings.Texts;
using Groundwork.Wire;
using Microsoft.Extensions.Logging;

namespace Groundwork.Services.Settings.Sealing;

/// <summary>
/// Sealed values in the texts of settings: checked when the text is published, opened when it is delivered to somebody
/// who may read secrets, and left as they are written everywhere else.
/// </summary>
internal sealed partial class SealedTexts
{
    /// <summary>Sealed values of one text; each is opened with every delivery.</summary>
    public const int MaxValues = 256;

    private SealingKeys? keys;
    private ILogger? logger;

    /// <summary>The keys are there once the store is open, which is after kinds were declared.</summary>
    public void Use(SealingKeys? opened, ILogger log) => (keys, logger) = (opened, log);

    /// <summary>Whether the text has a sealed value.</summary>
    public static bool IsIn(string content) => content.Contains(SealedValue.Prefix, StringComparison.Ordinal)
        && Token().IsMatch(content);

    /// <summary>Adds a fault, with its place, for everything sealed that does not open here.</summary>
    /// <param name="format">Null: not known; then what the format cannot carry is not looked for.</param>
    public void Check(string @namespace, string? format, string content, ICollection<FieldFault> faults)
    {
        if (!content.Contains(SealedValue.Prefix, StringComparison.Ordinal)) return;
        var contentFaults = new ContentFaults(faults, secret: true);
        var count = 0;
        foreach (Match token in Token().Matches(content))
        {
            if (contentFaults.Full) return;
            var (line, column) = Place(content, token.Index);
            if (++count > MaxValues)
            {
                contentFaults.Add($"has more than {MaxValues} sealed values", line, column);
                return;
            }
            if (format == "toml")
                contentFaults.Add("has a sealed value, which is not opened in TOML", line, column);
            else if (keys?.Open(token.ValueSpan, @namespace) is not { } text)
                contentFaults.Add(
                    $"has a sealed value that does not open in the namespace '{@namespace}': it was sealed for another "
                    + "namespace or another install, or was altered", line, column);
            else if (format == "xml" && !text.All(System.Xml.XmlConvert.IsXmlChar))
                contentFaults.Add("has a sealed value with characters that XML cannot hold", line, column);
        }
    }

    /// <summary>
    /// The text with its sealed values opened. The caller has checked the right to read secrets, and keeps the result
    /// no longer than it takes to send it.
    /// </summary>
    public string Open(string @namespace, string format, string content) => format switch
    {
        "json" => OpenTree(@namespace, () => JsonTree.Read(content), content),
        "yaml" => OpenTree(@namespace, () => YamlTree.Read(content), content),
        FlagsFormat.Name => OpenTree(
            @namespace,
            () => FlagsFormat.IsJson(content) ? JsonTree.Read(content) : YamlTree.Read(content), content),
        "properties" => OpenProperties(@namespace, content),
        "xml" => SealedXml.Open(content, value => OpenIn(@namespace, value)),
        "toml" => content,
        _ => OpenIn(@namespace, content),
    };

    private string OpenTree(string @namespace, Func<TextNode> read, string content)
    {
        var result = new StringBuilder();
        var at = 0;
        foreach (var scalar in Scalars(read()).OrderBy(scalar => scalar.Start))
        {
            if (scalar.Value is null || !IsIn(scalar.Value)) continue;
            var written = content[scalar.Start..scalar.End];
            result.Append(content, at, scalar.Start - at).Append(scalar.Lead)
                .Append(TreeWriter.Quoted(OpenIn(@namespace, scalar.Value)));
            // A block scalar owns the end of its last line.
            if (written.EndsWith('\n')) result.Append('\n');
            at = scalar.End;
        }
        return result.Append(content, at, content.Length - at).ToString();
    }

    private static IEnumerable<TextNode> Scalars(TextNode node)
    {
        if (node.IsAlias) return [];
        return node.Kind == NodeKind.Scalar ? [node] : node.Entries.SelectMany(entry => Scalars(entry.Node));
    }

    private string OpenProperties(string @namespace, string content)
    {
        var result = new StringBuilder();
        var at = 0;
        foreach (var line in PropertiesLine.ReadAll(content))
        {
            if (!IsIn(line.Value)) continue;
            result.Append(content, at, line.ValueStart - at)
                .Append(PropertiesText.Escape(OpenIn(@namespace, line.Value)));
            at = line.ValueEnd;
        }
        return result.Append(content, at, content.Length - at).ToString();
    }

    private string OpenIn(string @namespace, string value) => Token().Replace(value, token =>
    {
        if (keys?.Open(token.ValueSpan, @namespace) is { } text) return text;
        // It opened when it was published, so a key has gone since. The reader gets what is written, never half.
        if (logger is not null) LogClosed(logger, @namespace);
        return token.Value;
    });

    private static (int Line, int Column) Place(string content, int at)
    {
        var before = content.AsSpan(0, at);
        return (before.Count('\n') + 1, at - before.LastIndexOf('\n'));
    }

    [GeneratedRegex(
        @"(?<![A-Za-z0-9_])sealed:v1:[A-Za-z0-9_\-]*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    internal static partial Regex Token();

    [LoggerMessage(
        LogLevel.Error, "A sealed value in a setting of {Namespace} does not open any more; it is delivered sealed.")]
    private static partial void LogClosed(ILogger log, string @namespace);
}
