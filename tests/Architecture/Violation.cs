namespace Groundwork.Tests.Architecture;

/// <summary>Where a rule is broken, and how.</summary>
internal sealed record Violation(string Where, string What)
{
    public override string ToString() => $"{Where}: {What}";

    /// <summary>Fails with every violation on a line of its own.</summary>
    public static void None(IEnumerable<Violation> violations)
    {
        var lines = violations.Select(violation => $"{violation}").Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.True(lines.Count == 0, string.Join('\n', lines.Prepend($"{lines.Count} violations:")));
    }
}
