using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;

namespace Groundwork.Tests.EndToEnd;

/// <summary>A node with every module of the product, in this process.</summary>
internal static class Product
{
    public static Task<RunningNode> StartAsync() => RunningNode.StartAsync(Modules());

    private static IReadOnlyCollection<IModule> Modules() => [];
}
