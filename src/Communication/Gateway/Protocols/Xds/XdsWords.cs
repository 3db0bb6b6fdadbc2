namespace Groundwork.Communication.Gateway.Protocols.Xds;

/// <summary>What clients say, as it may be shown.</summary>
internal static class XdsWords
{
    /// <summary>One line of plain characters, not too long.</summary>
    public static string Shorten(string text, int most = XdsLimits.MaxWords)
    {
        var shown = text.Length <= most ? text : text[..most] + "…";
        return string.Create(shown.Length, shown, static (line, from) =>
        {
            for (var at = 0; at < line.Length; at++) line[at] = char.IsControl(from[at]) ? ' ' : from[at];
        });
    }
}
