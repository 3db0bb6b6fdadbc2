using Groundwork.Kernel.Resources;
using Groundwork.Kernel.Storage;

namespace Groundwork.Kernel.Hosting;

/// <summary>Collects what the modules bring, before the store opens.</summary>
public sealed class ModuleDeclaration
{
    private readonly List<Kind> kinds = [];
    private readonly List<Migration> migrations = [];
    private readonly List<ListenerDefinition> listeners = [];

    public IReadOnlyList<Kind> Kinds => kinds;

    public IReadOnlyList<Migration> Migrations => migrations;

    public IReadOnlyList<ListenerDefinition> Listeners => listeners;

    public ModuleDeclaration Add(Kind kind)
    {
        kinds.Add(kind);
        return this;
    }

    public ModuleDeclaration Add(Migration migration)
    {
        migrations.Add(migration);
        return this;
    }

    /// <summary>One that another module has declared just so is there once.</summary>
    public ModuleDeclaration Add(ListenerDefinition listener)
    {
        if (!listeners.Contains(listener)) listeners.Add(listener);
        return this;
    }
}
