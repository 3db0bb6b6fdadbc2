namespace Groundwork.Host.Output;

/// <summary>The three streams of the process and what they are connected to; a test gives its own.</summary>
internal sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error)
{
    /// <summary>Columns of a terminal whose width is not known.</summary>
    public const int UsualWidth = 80;

    /// <summary>False: answers must be for a program, not for a person.</summary>
    public bool IsOutputInteractive { get; init; }

    public bool IsErrorInteractive { get; init; }

    public bool IsInputInteractive { get; init; }

    public bool Colour { get; init; }

    public int Width { get; init; } = UsualWidth;

    /// <summary>Reads a byte stream such as a backup; null: standard input.</summary>
    public Func<Stream> OpenInput { get; init; } = Console.OpenStandardInput;

    /// <summary>Writes a byte stream such as a backup.</summary>
    public Func<Stream> OpenOutput { get; init; } = Console.OpenStandardOutput;

    /// <summary>
    /// The process's own. Colour only on a terminal, and not when <c>NO_COLOR</c> is set (no-color.org).
    /// </summary>
    public static Terminal OfProcess()
    {
        var interactive = !Console.IsOutputRedirected;
        return new Terminal(Console.In, Console.Out, Console.Error)
        {
            IsOutputInteractive = interactive,
            IsErrorInteractive = !Console.IsErrorRedirected,
            IsInputInteractive = !Console.IsInputRedirected,
            Colour = interactive && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
            Width = interactive ? Math.Max(40, Console.WindowWidth) : UsualWidth,
        };
    }

    public string Coloured(string text, int colour) => Colour ? $"\e[{colour}m{text}\e[0m" : text;

    public string Dim(string text) => Colour ? $"\e[2m{text}\e[0m" : text;

    public string Bold(string text) => Colour ? $"\e[1m{text}\e[0m" : text;
}
