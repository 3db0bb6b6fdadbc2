namespace Groundwork.Kernel.Cluster;

/// <summary>
/// Proof of holding a named lease; each new holder's token is greater, and the store refuses the older.
/// </summary>
/// <param name="Lease">The lease's name.</param>
/// <param name="Token">Counts the times the lease has changed hands.</param>
public sealed record FencingToken(string Lease, long Token);
