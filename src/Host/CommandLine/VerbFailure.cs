using System.Collections.Immutable;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Host.CommandLine;

/// <summary>
/// Ends the verb: what to print on stderr, and the exit code. An exception, because every failure of a command line
/// ends the process and is caught at one place, <see cref="GroundworkCommand"/>.
/// </summary>
internal class VerbFailure(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>A line each, below the message.</summary>
    public ImmutableArray<string> Details { get; init; } = [];

    public static VerbFailure Usage(string message, params IEnumerable<string> details) =>
        new(ExitCodes.Usage, message) { Details = [.. details] };

    /// <summary>A fault that the platform answered with: code, particulars, and every field.</summary>
    public static ProblemFailure From(ProblemDocument problem)
    {
        var details = (problem.Fields ?? []).Select(Describe)
            .Concat((problem.Extensions ?? new Dictionary<string, string>())
                .Select(entry => $"{entry.Key}: {entry.Value}"));
        if (problem.TraceId is { } trace && problem.Status >= 500) details = details.Append($"trace id: {trace}");
        return new ProblemFailure(problem) { Details = [.. details] };
    }

    /// <summary>A fault of this process itself, such as a node that cannot start.</summary>
    public static VerbFailure From(Fault fault) =>
        new(fault.Error == ErrorCodes.ConfigurationInvalid ? ExitCodes.Usage : ExitCodes.Fault,
            $"{fault.Error.Code}: {fault.Detail}")
        {
            Details = [.. fault.Fields.Select(Describe)],
        };

    /// <summary>A field at fault, with its place where there is one.</summary>
    public static string Describe(FieldFault fault) => fault switch
    {
        { Line: { } line, Path: "" } => $"line {line}, column {fault.Column}: {fault.Message}",
        { Line: { } line } => $"line {line}, column {fault.Column}: {fault.Path} {fault.Message}",
        { Path: "" } => fault.Message,
        _ => $"{fault.Path} {fault.Message}",
    };

    /// <summary>The same as compilers say it, so that editors find the place: <c>file:line:column: what</c>.</summary>
    public static string Describe(string file, FieldFault fault)
    {
        var place = fault.Line is { } line ? $"{file}:{line}:{fault.Column}" : file;
        return fault.Path.Length == 0 ? $"{place}: {fault.Message}" : $"{place}: {fault.Path} {fault.Message}";
    }
}

/// <summary>The platform answered with a problem.</summary>
internal sealed class ProblemFailure(ProblemDocument problem)
    : VerbFailure(ExitCodes.Of(problem), $"{problem.Code}: {problem.Detail}")
{
    public ProblemDocument Problem { get; } = problem;
}
