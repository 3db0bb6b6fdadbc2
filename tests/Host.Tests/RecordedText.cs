using System.Text;

namespace Groundwork.Host.Tests;

/// <summary>A writer whose text can be read while others write.</summary>
internal sealed class RecordedText : TextWriter
{
    private readonly Lock gate = new();
    private readonly StringBuilder text = new();

    public override Encoding Encoding => Encoding.UTF8;

    public string[] Lines => ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public override void Write(char value)
    {
        lock (gate) text.Append(value);
    }

    public override void Write(string? value)
    {
        lock (gate) text.Append(value);
    }

    public override string ToString()
    {
        lock (gate) return text.ToString();
    }
}
