namespace Groundwork.Kernel.Security;

/// <summary>
/// What a principal wants to do. Written in roles in lower case with hyphens, such as <c>read-secret</c>.
/// </summary>
public enum Verb
{
    /// <summary>Get, list, watch, history and diff of resources.</summary>
    Read,

    /// <summary>See a secret field in clear.</summary>
    ReadSecret,

    /// <summary>Create, update, roll back and revert.</summary>
    Write,

    /// <summary>Delete a resource.</summary>
    Delete,

    /// <summary>Approve or refuse proposals of others.</summary>
    Approve,

    /// <summary>Register and deregister instances.</summary>
    Register,

    /// <summary>Renew instances.</summary>
    Renew,

    /// <summary>List and watch services and instances.</summary>
    Discover,

    /// <summary>Drain and other operations on what runs.</summary>
    Operate,

    /// <summary>Read and verify the audit trail.</summary>
    Audit,

    /// <summary>Take a backup; it holds everything, secrets included (under their keys).</summary>
    Backup,

    /// <summary>Nodes, keys and compaction.</summary>
    Administer,
}
