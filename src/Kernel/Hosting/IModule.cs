namespace Groundwork.Kernel.Hosting;

/// <summary>
/// A part of the platform that can be left out. Its life: declare, start, drain, stop; in the order of
/// <see cref="Modules"/>, and the reverse to stop.
/// </summary>
public interface IModule
{
    /// <summary>Its name in <see cref="Modules"/>.</summary>
    string Name { get; }

    /// <summary>Says, before the store opens, which kinds, tables and listeners it brings.</summary>
    void Declare(ModuleDeclaration declaration);

    /// <summary>Builds its state and maps its endpoints; the listeners open after all modules have started.</summary>
    Task StartAsync(Node node, CancellationToken cancellationToken);

    /// <summary>Finishes what is under way and takes nothing new. The listeners are still open.</summary>
    Task DrainAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Ends its loops and writes what is not written. The listeners are closed; the store is still open.
    /// </summary>
    Task StopAsync(CancellationToken cancellationToken);
}
