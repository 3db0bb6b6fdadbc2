using System.Text;

namespace Groundwork.Services.Settings.Readers;

/// <summary>What a text of a reader may hold that is stored and shown: no control characters, and only whole
/// characters.</summary>
internal static class ReaderText
{
    public static bool IsPlain(string text)
    {
        foreach (var rune in text.EnumerateRunes())
            if (rune == Rune.ReplacementChar || Rune.IsControl(rune)) return false;
        return true;
    }

    /// <summary>The text in one line, with what cannot be shown replaced.</summary>
    public static string Clean(string text)
    {
        if (IsPlain(text)) return text;
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            clean.Append(Rune.IsControl(rune) ? " " : rune.ToString());
        return clean.ToString();
    }
}
