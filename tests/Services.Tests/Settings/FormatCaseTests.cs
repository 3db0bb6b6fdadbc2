using System.Text.RegularExpressions;
using Groundwork.Services.Settings;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Settings;

/// <summary>
/// Every file in Cases is one content and what the check must say of it. Head lines: <c>format:</c>, optional
/// <c>secret: true</c> and <c>escapes: true</c> (the content is written with \n, \t, \\ and \uXXXX, one line), and an
/// <c>expect:</c> per fault,
/// <c>line:column message</c>, or <c>expect: ok</c>. Then a line <c>---</c>, then the content.
/// </summary>
public sealed partial class FormatCaseTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Settings", "Cases");

    public static TheoryData<string> Cases =>
        new(Directory.EnumerateFiles(Folder, "*.case").Select(file => Path.GetFileName(file)!)
            .Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Content_is_judged_as_its_case_says(string file)
    {
        var (head, content) = Read(file);
        var spec = new SettingSpec(Single(head, "format"), content, Single(head, "secret") == "true");
        var faults = new List<FieldFault>();

        SettingKind.Kind.Validate!(spec, faults);

        Assert.Equal(
            string.Join('\n', head.Where(line => line.Key == "expect").Select(line => line.Value)),
            faults.Count == 0 ? "ok" : string.Join('\n', faults.Select(Show)));
    }

    [Fact]
    public void Every_format_has_cases_of_both_kinds()
    {
        var heads = Directory.EnumerateFiles(Folder, "*.case").Select(file => Read(Path.GetFileName(file)!).Head)
            .ToList();
        foreach (var format in new[] { "json", "yaml", "xml", "properties" })
        {
            var mine = heads.Where(head => Single(head, "format") == format).ToList();
            Assert.Contains(mine, head => Single(head, "expect") == "ok");
            Assert.Contains(mine, head => Single(head, "expect") != "ok");
        }
    }

    private static string Show(FieldFault fault) => fault.Line is null
        ? $"{fault.Path} {fault.Message}"
        : $"{fault.Line}:{fault.Column} {fault.Message}";

    private static string Single(List<KeyValuePair<string, string>> head, string key) =>
        head.FirstOrDefault(line => line.Key == key).Value ?? "";

    private static (List<KeyValuePair<string, string>> Head, string Content) Read(string file)
    {
        var text = File.ReadAllText(Path.Combine(Folder, file));
        var cut = text.IndexOf("\n---\n", StringComparison.Ordinal);
        var head = text[..cut].Split('\n')
            .Select(line => line.Split(": ", 2))
            .Select(parts => KeyValuePair.Create(parts[0], parts[1]))
            .ToList();
        var content = text[(cut + 5)..];
        return (head, Single(head, "escapes") == "true" ? Unescape(content.TrimEnd('\n')) : content);
    }

    private static string Unescape(string text) => Escape().Replace(text, match => match.Value[1] switch
    {
        'n' => "\n",
        'r' => "\r",
        't' => "\t",
        'u' => ((char)Convert.ToInt32(match.Value[2..], 16)).ToString(),
        var c => c.ToString(),
    });

    [GeneratedRegex(@"\\(u[0-9a-fA-F]{4}|.)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Escape();
}
