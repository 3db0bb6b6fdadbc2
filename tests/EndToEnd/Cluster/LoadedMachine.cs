namespace Groundwork.Tests.EndToEnd.Cluster;

/// <summary>
/// Tests that run several processes under load, one test at a time and with no other beside it: two of them on two
/// cores would measure each other.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class LoadedMachine
{
    public const string Name = "loaded machine";
}
