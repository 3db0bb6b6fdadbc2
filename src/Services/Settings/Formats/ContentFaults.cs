using Groundwork.Wire;

namespace Groundwork.Services.Settings.Formats;

/// <summary>
/// Gathers what is wrong with a content, with line and column. Columns count UTF-16 units from 1, as editors do.
/// </summary>
/// <param name="faults">Where they go.</param>
/// <param name="secret">True: no part of the content may stand in a message, which ends up in logs and audit.</param>
internal sealed class ContentFaults(ICollection<FieldFault> faults, bool secret)
{
    /// <summary>
    /// Faults of one content: enough to repair it in a few rounds, and an answer that stays readable.
    /// </summary>
    public const int MaxFaults = 50;

    internal const string Path = "spec.content";

    private int count;

    /// <summary>True when nothing more will be taken, so that a checker can stop.</summary>
    public bool Full => count >= MaxFaults;

    /// <param name="message">Without anything that the content says.</param>
    public void Add(string message, int line, int column)
    {
        if (Full) return;
        count++;
        faults.Add(new FieldFault(Path, message, line, column));
    }

    /// <summary>A fault whose message may repeat parts of the content, which a secret one leaves out.</summary>
    public void Quoting(string format, string message, int line, int column) =>
        Add($"is not valid {format}" + (secret ? "" : $": {Printable(message)}"), line, column);

    public static string Printable(string text) => string.Create(text.Length, text, (shown, from) =>
    {
        for (var at = 0; at < shown.Length; at++) shown[at] = char.IsControl(from[at]) ? '?' : from[at];
    });
}
