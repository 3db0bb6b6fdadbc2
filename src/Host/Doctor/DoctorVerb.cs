using System.CommandLine;
using System.Text.Json.Nodes;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Host.Doctor;

/// <summary>
/// <c>doctor</c>: what this machine gives a node, and every process option with its origin. Warns and changes nothing;
/// only a configuration with which no node would start is a fault.
/// </summary>
internal static class DoctorVerb
{
    public static Command Create() => ProcessFlags.With(
        new Verb(
            "doctor", "Examine this machine and the process configuration; changes nothing.", "doctor -o json", Run));

    private static Task<int> Run(Call call)
    {
        if (call.Parsed.GetValue(SharedOptions.Server) is not null)
            throw VerbFailure.Usage("doctor examines the machine that it runs on; --server does not go with it");
        var working = call.Surroundings.WorkingDirectory;
        var isUp = Directory.Exists(Path.Combine(working, ApiTarget.UpDirectory));
        var read = ProcessFlags.Read(call, working, isUp ? ApiTarget.UpDirectory : ApiTarget.SystemDirectory);
        var directory = read.Succeeded ? read.Value.DataDirectory : Path.Combine(working, ApiTarget.UpDirectory);
        var findings = Examination.OfMachine(call.Time).Examine(directory);
        if (call.Answer.IsTable) PrintTables(call.Terminal, findings, read.Succeeded ? read.Value : null);
        else call.Answer.Print(ToDocument(findings, read.Succeeded ? read.Value : null), "");
        if (!read.Succeeded) throw VerbFailure.From(read.Fault);
        return Task.FromResult(ExitCodes.Ok);
    }

    private static void PrintTables(
        Terminal terminal, IReadOnlyList<Finding> findings, ProcessConfiguration? configuration)
    {
        var machine = new Table("MACHINE", "VALUE", "RECOMMENDED", "");
        foreach (var finding in findings)
            machine.Add(finding.Name, finding.Value, finding.Recommended, finding.Verdict == Verdict.Low ? "LOW" : Word(
                finding.Verdict));
        machine.Print(terminal.Out);
        foreach (var low in findings.Where(finding => finding.Verdict == Verdict.Low))
            terminal.Out.WriteLine($"  {low.Name}: {low.Why}");
        if (configuration is null) return;
        var options = new Table("OPTION", "VALUE", "ORIGIN");
        foreach (var value in configuration.Values) options.Add(value.Key, value.Value, value.Origin);
        terminal.Out.WriteLine();
        options.Print(terminal.Out);
    }

    private static JsonObject ToDocument(IReadOnlyList<Finding> findings, ProcessConfiguration? configuration) => new()
    {
        ["machine"] = new JsonArray([.. findings.Select(finding => new JsonObject
        {
            ["name"] = finding.Name,
            ["value"] = finding.Value,
            ["recommended"] = finding.Recommended,
            ["verdict"] = Word(finding.Verdict),
            ["why"] = finding.Why,
        })]),
        ["options"] = new JsonArray([.. (configuration?.Values ?? []).Select(value => new JsonObject
        {
            ["key"] = value.Key,
            ["value"] = value.Value,
            ["origin"] = value.Origin,
            ["why"] = Why(value.Key),
        })]),
    };

    private static string Word(Verdict verdict) => verdict switch
    {
        Verdict.Ok => "ok",
        Verdict.Low => "low",
        _ => "unknown",
    };

    // The keys of one listener are described once, with NAME for its name.
    private static string? Why(string key)
    {
        var general = key.Split('.', 3) is ["listeners", _, var field] ? $"listeners.NAME.{field}" : key;
        return ProcessConfiguration.Options.FirstOrDefault(option => option.Key == key || option.Key == general)?.Why;
    }
}
