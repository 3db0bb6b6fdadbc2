namespace Groundwork.Kernel.Hosting.Listening;

/// <summary>Endpoint metadata: the bytes of a body it reads.</summary>
internal sealed record BodyLimit(long Bytes);
