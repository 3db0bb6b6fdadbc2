using System.Globalization;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Output;
using Groundwork.Host.Verbs;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Host.Tests;

/// <summary>Runs command lines in this process, in a directory and with an environment of their own.</summary>
internal sealed class CommandRun : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly Dictionary<string, string> environment = new(StringComparer.Ordinal);
    private RecordedText output = new();
    private RecordedText error = new();

    public string Output => output.ToString();

    public string Error => error.ToString();

    public TemporaryDirectory Directory => directory;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public string Input { get; set; } = "";

    public Interruption Interruption { get; } = Interruption.None();

    public string ConfigurationDirectory => directory.Combine("config");

    public void Set(string variable, string value) => environment[variable] = value;

    /// <summary>
    /// A node as far as the verbs see it: its file and its socket, with one handler for all requests.
    /// </summary>
    public async Task<HttpStub> StubAsync(RequestDelegate handler)
    {
        var socket = directory.Combine(".groundwork", "api.sock");
        directory.Write(".groundwork/node.json", string.Create(CultureInfo.InvariantCulture, $$"""
            {"nodeName":"stub","pid":{{Environment.ProcessId}},"apiAddress":"http://127.0.0.1:1","apiSocket":"{{socket}}",
             "listeners":{},"storeId":"s","version":"0","startedAt":"2030-01-01T00:00:00Z"}
            """));
        return await HttpStub.OnSocketAsync(socket, handler);
    }

    public Task<int> RunAsync(params IReadOnlyList<string> arguments)
    {
        output = new RecordedText();
        error = new RecordedText();
        var terminal = new Terminal(new StringReader(Input), output, error);
        var surroundings = new Surroundings(
            terminal, Time, name => environment.GetValueOrDefault(name), directory.Path, ConfigurationDirectory);
        return GroundworkCommand.RunAsync(arguments, surroundings, Interruption, VerbTable.All());
    }

    public void Dispose()
    {
        Interruption.Dispose();
        directory.Dispose();
    }
}
