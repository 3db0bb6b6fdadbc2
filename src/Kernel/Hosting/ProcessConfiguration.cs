namespace Groundwork.Kernel.Hosting;

/// <summary>What is needed before the store opens, from <c>groundwork.yaml</c>, <c>GROUNDWORK_*</c> and flags.</summary>
public sealed class ProcessConfiguration;
