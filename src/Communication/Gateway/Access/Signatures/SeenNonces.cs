namespace Groundwork.Communication.Gateway.Access.Signatures;

/// <summary>
/// What was signed and has passed this node, as long as its time stamp would let it pass again: two generations, of
/// which the older one is forgotten as a whole.
/// </summary>
internal sealed class SeenNonces(TimeProvider time, int most = SeenNonces.UsualMost)
{
    /// <summary>Of one generation: about 40 MB. 1,600 signed requests a second, for ten minutes.</summary>
    public const int UsualMost = 1_000_000;

    /// <summary>The longest that a signature can be used: from as early to as late as clocks may differ.</summary>
    private static readonly TimeSpan Generation = TimeSpan.FromSeconds(2 * SignatureCredential.MaxWindowSeconds);

    private readonly Lock gate = new();
    private HashSet<UInt128> current = []; // All under the gate.
    private HashSet<UInt128> previous = [];
    private long began = time.GetTimestamp();

    public Sighting Add(UInt128 digest)
    {
        lock (gate)
        {
            var age = time.GetElapsedTime(began);
            if (age >= Generation)
            {
                previous = age >= 2 * Generation ? [] : current;
                current = [];
                began = time.GetTimestamp();
            }
            if (previous.Contains(digest)) return Sighting.Again;
            // What could not be remembered could be sent again: better nobody passes.
            if (current.Count >= most) return current.Contains(digest) ? Sighting.Again : Sighting.TooMany;
            return current.Add(digest) ? Sighting.First : Sighting.Again;
        }
    }
}

/// <summary>Whether something was seen before.</summary>
internal enum Sighting { First, Again, TooMany }
