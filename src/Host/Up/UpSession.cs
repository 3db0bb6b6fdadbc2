using System.Collections.Immutable;
using Groundwork.Host.Api;
using Groundwork.Host.CommandLine;
using Groundwork.Host.Processes;
using Groundwork.Host.Verbs;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Logging;
using Groundwork.Kernel.Security;
using Groundwork.Wire.Contracts;
using Microsoft.Extensions.Logging;

namespace Groundwork.Host.Up;

/// <summary>One run of <c>up</c>: the node, the grants, the services, and the way back in reverse.</summary>
internal sealed class UpSession : IAsyncDisposable
{
    /// <summary>The table is there within this, whether or not every service is healthy by then.</summary>
    private static readonly TimeSpan TablePatience = TimeSpan.FromSeconds(2.5);

    /// <summary>For giving the grants back at the end; a node that hangs must not keep the terminal.</summary>
    private static readonly TimeSpan RevokePatience = TimeSpan.FromSeconds(5);

    private readonly Call call;
    private readonly UpFile file;
    private readonly ProcessConfiguration configuration;
    private readonly LogPrinter log;
    private readonly ConsoleLogs nodeLogs;
    private readonly Launcher launcher = new(Executable.Self());
    private readonly LoopbackPorts ports = new();
    private NodeHost? node;
    private NodeFile? nodeFile;
    private ApiConnection? connection;
    private ServiceAccess? access;
    private Supervisor? supervisor;

    public UpSession(Call call, UpFile file, ProcessConfiguration configuration)
    {
        this.call = call;
        this.file = file;
        this.configuration = configuration;
        var instances = file.Services.SelectMany(service =>
            Enumerable.Range(1, service.Replicas).Select(service.InstanceId));
        log = new LogPrinter(call.Terminal, instances);
        // Of the node only what somebody should know; its doings are in the table, the history and the audit trail.
        nodeLogs = new ConsoleLogs(call.Terminal.Error, call.Time, LogLevel.Warning);
    }

    /// <summary>Starts the node in this process.</summary>
    public async Task StartNodeAsync(CancellationToken cancellationToken)
    {
        node = await NodeComposition.StartAsync(configuration, call.Time, nodeLogs, cancellationToken);
        nodeFile = NodeFile.Read(configuration.DataDirectory)
            ?? throw new InvalidOperationException("The node runs and has not said where.");
        connection = LocalNode.Find(call.Surroundings, configuration.DataDirectory).Connect(call.Surroundings);
    }

    /// <summary>
    /// Applies the resources, starts the services, prints the table and the logs, and waits for the end.
    /// </summary>
    public async Task RunServicesAsync(
        ImmutableDictionary<string, string> assemblies, CancellationToken cancellationToken)
    {
        if (node is null || nodeFile is null || connection is null)
            throw new InvalidOperationException("The node has not been started.");
        access = new ServiceAccess(connection, call.Time, file, Path.Combine(configuration.DataDirectory, "up"));
        await access.GrantAsync(cancellationToken);
        await ApplyResourcesAsync(connection, cancellationToken);
        supervisor = new Supervisor(file.Services
            .Where(service => service.Project is null || assemblies.ContainsKey(service.Project))
            .Where(service => !IsLeftOut(service))
            .Select(service => (service, Replicas(service, assemblies, access, nodeFile))));
        supervisor.Start();
        var healthy = supervisor.Healthy;
        await healthy.WaitAsync(TablePatience, call.Time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        PrintGreeting(node, nodeFile, await ConsoleAsync(connection, nodeFile, cancellationToken));
        UpTable.Print(call.Terminal, supervisor.Replicas);
        call.Terminal.Out.WriteLine();
        log.Open();
        if (!healthy.IsCompletedSuccessfully)
        {
            await healthy.WaitAsync(cancellationToken);
            await log.TextAsync(call.Terminal.Bold("all services are healthy"));
        }
        await Task.Delay(Timeout.InfiniteTimeSpan, call.Time, cancellationToken);
    }

    /// <summary>
    /// Stops the services in reverse order, takes the grants back, stops the node. A second Ctrl-C hurries.
    /// </summary>
    public async Task StopAsync()
    {
        log.Open();
        if (supervisor is not null)
        {
            await log.TextAsync(call.Terminal.Dim("stopping; Ctrl-C again ends everything at once"));
            using var hurry = call.Interruption.Insisted.Register(supervisor.Kill);
            await supervisor.StopAsync();
        }
        await RevokeAsync();
        if (node is not null) await node.StopAsync(call.Interruption.Insisted);
    }

    public async ValueTask DisposeAsync()
    {
        supervisor?.Dispose();
        launcher.Dispose();
        connection?.Dispose();
        if (node is not null) await node.DisposeAsync();
        await nodeLogs.DisposeAsync();
        await log.DisposeAsync();
    }

    /// <summary>
    /// An optional service whose program this machine does not have is not started again and again, but left out, and
    /// that is said once.
    /// </summary>
    private bool IsLeftOut(ServiceDefinition service)
    {
        if (!service.Optional || service.Command.IsEmpty) return false;
        var path = service.Environment.GetValueOrDefault("PATH") ?? call.Surroundings.Environment("PATH");
        if (ProgramPath.Exists(service.Command[0], file.Directory, path)) return false;
        call.Terminal.Out.WriteLine(
            $"{service.Name} is left out: there is no program '{service.Command[0]}' here, and it is optional");
        return true;
    }

    private ImmutableArray<Replica> Replicas(
        ServiceDefinition service, ImmutableDictionary<string, string> assemblies, ServiceAccess granted,
            NodeFile running)
    {
        var assembly = service.Project is null ? null : assemblies[service.Project];
        var address = running.ApiAddress ?? throw new VerbFailure(
            ExitCodes.Usage, "the node has no API listener; up needs one");
        return
        [
            .. Enumerable.Range(1, service.Replicas).Select(number => new Replica(
                service,
                number,
                port => ServiceStart.Of(file, service, number, port, assembly, address, granted.KeyFile(service)),
                launcher, ports, log, new SupervisionOptions(), call.Time)),
        ];
    }

    private async Task ApplyResourcesAsync(ApiConnection api, CancellationToken cancellationToken)
    {
        if (file.Resources.IsEmpty) return;
        var filed = ResourceFiles.Read(call.Surroundings, file.Resources);
        var request = new ChangesetRequest(
            [.. filed.Select(entry => new ChangeDocument("put", ChangeVerbs.Writable(entry.Resource)))],
            "groundwork up applies its resources",
            Guid.CreateVersion7(call.Time.GetUtcNow()));
        await ChangeVerbs.SendAsync(api, filed, request, cancellationToken);
    }

    private async Task RevokeAsync()
    {
        if (access is null) return;
        using var patience = new CancellationTokenSource(RevokePatience, call.Time);
        try
        {
            await access.RevokeAsync(patience.Token);
        }
        catch (Exception fault) when (fault is VerbFailure or OperationCanceledException)
        {
            await log.TextAsync(
                $"groundwork: the services' access keys could not be revoked ({fault.Message}); the next up does it");
        }
    }

    /// <summary>A link that signs in goes to a terminal only: logs are kept.</summary>
    private async Task<string> ConsoleAsync(ApiConnection api, NodeFile announced, CancellationToken cancellationToken)
    {
        var plain = $"{announced.ApiAddress}/console/ (groundwork login prints a link that signs you in)";
        if (!call.Terminal.IsOutputInteractive) return plain;
        try
        {
            var link = await ConsoleLink.CreateAsync(api, AdminBootstrap.OperatorName, cancellationToken);
            return $"{ConsoleLink.Address(announced.ApiAddress, link)} (signs you in once)";
        }
        catch (VerbFailure)
        {
            return plain; // The first operator has another name now.
        }
    }

    private void PrintGreeting(NodeHost running, NodeFile announced, string console)
    {
        var output = call.Terminal.Out;
        output.WriteLine();
        foreach (var (name, address) in announced.Listeners.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            output.WriteLine($"{call.Terminal.Bold($"{name,-9}")} {address}");
        output.WriteLine($"{call.Terminal.Bold("console  ")} {console}");
        output.WriteLine($"{call.Terminal.Bold("sign in  ")} {SignIn(running, announced)}");
        output.WriteLine();
    }

    /// <summary>The password goes to a terminal and nowhere else; otherwise the path of its file does.</summary>
    private string SignIn(NodeHost running, NodeFile announced)
    {
        var verb = $"groundwork login admin --server {announced.ApiAddress}";
        if (running.FirstPassword is not { } first) return $"{verb} (here, verbs need no sign-in)";
        if (!call.Terminal.IsOutputInteractive) return $"{verb}, password in {first.Path}";
        var line = $"{verb}, password {first.Password} (shown this once)";
        first.Shown();
        return line;
    }
}
