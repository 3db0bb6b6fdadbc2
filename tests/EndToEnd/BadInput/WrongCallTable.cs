using Groundwork.Tests.Support;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Groundwork.Tests.EndToEnd.BadInput;

/// <summary>The table of wrong calls: a file per topic beside this class, rows in the order they are made.</summary>
internal static partial class WrongCallTable
{
    public static string Folder { get; } =
        Path.Combine(GroundworkProcess.Repository, "tests", "EndToEnd", "BadInput", "Calls");

    public static IReadOnlyList<string> Topics { get; } =
        [.. Directory.GetFiles(Folder, "*.json").Select(file => Path.GetFileNameWithoutExtension(file)).Order(
            StringComparer.Ordinal)];

    public static List<WrongCall> Read(string topic)
    {
        using var file = File.OpenRead(PathOf(topic));
        return JsonSerializer.Deserialize(file, Written.ListWrongCall)
            ?? throw new InvalidDataException($"The table {topic} is null.");
    }

    public static void Write(string topic, List<WrongCall> calls) =>
        File.WriteAllText(PathOf(topic), JsonSerializer.Serialize(calls, Written.ListWrongCall) + "\n");

    /// <summary>
    /// Writes out what would be too long to read: <c>«x*129»</c> is 129 times x, and <c>«each 1..3 "k#":"v"»</c> is
    /// <c>"k1":"v","k2":"v","k3":"v"</c>.
    /// </summary>
    public static string Expand(string text)
    {
        text = Times().Replace(text, match => string.Concat(Enumerable.Repeat(
            match.Groups[1].Value, Number(match.Groups[2]))));
        return Each().Replace(text, match => string.Join(',', Enumerable
            .Range(Number(match.Groups[1]), Number(match.Groups[2]) - Number(match.Groups[1]) + 1)
            .Select(number => match.Groups[3].Value.Replace("#", $"{number}", StringComparison.Ordinal))));

        static int Number(Group digits) => int.Parse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static string PathOf(string topic) => Path.Combine(Folder, topic + ".json");

    private static WrongCallJson Written { get; } = new(new JsonSerializerOptions(WrongCallJson.Default.Options)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    [GeneratedRegex(@"«each (\d+)\.\.(\d+) ([^«»]*)»", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Each();

    [GeneratedRegex(@"«([^«»]+?)\*(\d+)»", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Times();
}
