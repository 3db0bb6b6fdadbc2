using System.CommandLine;
using Groundwork.Host.Api;
using Groundwork.Host.Output;

namespace Groundwork.Host.CommandLine;

/// <summary>One run of a verb: what was typed, and what it may use.</summary>
/// <param name="Cancellation">The first of <paramref name="Interruption"/>'s signals.</param>
internal sealed record Call(
    ParseResult Parsed, Surroundings Surroundings, Interruption Interruption, CancellationToken Cancellation)
{
    public Terminal Terminal => Surroundings.Terminal;

    public TimeProvider Time => Surroundings.Time;

    /// <summary>An argument that must be there; the parser has seen to it.</summary>
    public T Required<T>(Argument<T> argument)
        where T : notnull => Parsed.GetRequiredValue(argument);

    public T Required<T>(Option<T> option)
        where T : notnull => Parsed.GetRequiredValue(option);

    public T? Get<T>(Argument<T> argument) => Parsed.GetValue(argument);

    public T? Get<T>(Option<T> option) => Parsed.GetValue(option);

    /// <summary>How <c>-o</c> wants the answer.</summary>
    public Answer Answer => new(Terminal, Parsed.GetRequiredValue(SharedOptions.Output));

    /// <summary>The node that <c>--server</c>, or else the data directory, names.</summary>
    public ApiConnection Connect() => ApiTarget
        .Find(Surroundings, Parsed.GetValue(SharedOptions.Server), Parsed.GetValue(SharedOptions.Data))
        .Connect(Surroundings);
}

/// <summary>What a verb sees of the machine; a test gives its own.</summary>
/// <param name="Environment">Looks up a variable.</param>
/// <param name="ConfigurationDirectory">The user's own directory, where sign-ins are kept.</param>
internal sealed record Surroundings(
    Terminal Terminal, TimeProvider Time, Func<string, string?> Environment, string WorkingDirectory,
        string ConfigurationDirectory)
{
    public static Surroundings OfProcess() => new(
        Terminal.OfProcess(),
        TimeProvider.System,
        System.Environment.GetEnvironmentVariable,
        Directory.GetCurrentDirectory(),
        Path.Combine(
            System.Environment.GetFolderPath(
                System.Environment.SpecialFolder.ApplicationData, System.Environment.SpecialFolderOption.DoNotVerify),
            "groundwork"));
}
