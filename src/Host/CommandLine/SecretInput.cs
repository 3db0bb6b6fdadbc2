using System.Text;
using Groundwork.Host.Output;

namespace Groundwork.Host.CommandLine;

/// <summary>
/// Secrets that a person types: from the keyboard without echo, or the first line of standard input. Never a flag,
/// which every process of the machine could read.
/// </summary>
internal static class SecretInput
{
    /// <param name="prompt">Such as <c>password of alice</c>.</param>
    public static string Read(Terminal terminal, string prompt)
    {
        var text = terminal.IsInputInteractive ? Ask(terminal, prompt) : terminal.In.ReadLine();
        return string.IsNullOrEmpty(text) ? throw VerbFailure.Usage($"no {prompt.Split(' ')[0]} was given") : text;
    }

    /// <summary>For a new secret: at the keyboard it is asked for twice, since nobody sees what is typed.</summary>
    public static string ReadNew(Terminal terminal, string prompt)
    {
        var text = Read(terminal, prompt);
        if (terminal.IsInputInteractive && Ask(terminal, $"{prompt}, again") != text)
            throw VerbFailure.Usage("the two are not the same");
        return text;
    }

    private static string Ask(Terminal terminal, string prompt)
    {
        terminal.Error.Write($"{prompt}: ");
        var text = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace) text.Length = Math.Max(0, text.Length - 1);
            else if (!char.IsControl(key.KeyChar)) text.Append(key.KeyChar);
        }
        terminal.Error.WriteLine();
        return text.ToString();
    }
}
