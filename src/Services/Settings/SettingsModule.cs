using Groundwork.Kernel.Hosting;

namespace Groundwork.Services.Settings;

/// <summary>Settings: texts that services read and follow, published, checked and versioned as resources.</summary>
public sealed class SettingsModule : IModule
{
    public const string ModuleName = "settings";

    private readonly CancellationTokenSource ending = new();
    private SettingsSignal? signal;

    public string Name => ModuleName;

    public void Declare(ModuleDeclaration declaration) => declaration.Add(SettingKind.Kind);

    public Task StartAsync(Node node, CancellationToken cancellationToken)
    {
        if (node.Changes is not { } changes)
            throw new InvalidOperationException(
                "A node without a store has no settings to serve; ask the node that it follows.");
        signal = new SettingsSignal(node.Snapshots);
        var reader = new SettingReader(new SettingContents(changes), node.Authorizer, node.Audit);
        var watch = new SettingsWatch(node.Snapshots, node.Authorizer, reader, signal, node.Time, ending.Token);
        node.Listeners.Map(ListenerDefinition.Api, new SettingsApi(changes, reader, watch).Map);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Ends the watches; their readers come back to another node, or to this one when it is up again.
    /// </summary>
    public Task DrainAsync(CancellationToken cancellationToken) => ending.CancelAsync();

    public Task StopAsync(CancellationToken cancellationToken)
    {
        signal?.Dispose();
        ending.Dispose();
        return Task.CompletedTask;
    }
}
