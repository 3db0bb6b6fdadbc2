namespace Groundwork.Wire.Contracts;

/// <summary>What became of a setting at its readers.</summary>
/// <param name="Applied">Readers that said they use it.</param>
/// <param name="Rejected">Readers that said they do not, with the reason.</param>
/// <param name="Delivered">Readers that have it, and say no more than that, or send no receipts.</param>
/// <param name="Old">Readers that have not said that they have it.</param>
/// <param name="Readers">One line for each, in order of service and instance.</param>
/// <param name="Revision">The publication asked for; null: each reader is held to what is meant for it now.</param>
public sealed record SettingReceipts(
    string Namespace,
    string Group,
    string DataId,
    int Applied,
    int Rejected,
    int Delivered,
    int Old,
    IReadOnlyList<ReaderReceipt> Readers,
    long? Revision = null);

/// <summary>What became of a setting at one reader.</summary>
/// <param name="Node">The node that it was last seen at.</param>
/// <param name="State"><c>applied</c>, <c>rejected</c>, <c>delivered</c> or <c>old</c>.</param>
/// <param name="Revision">The version that the line is about.</param>
/// <param name="Release">The gray release that this version is of.</param>
/// <param name="Error">Why it was rejected.</param>
/// <param name="HasRevision">The newest version that the reader is known to use; null: none.</param>
/// <param name="HasRelease">The gray release that the version in use is of.</param>
/// <param name="SentAt">When it was sent; null: not yet.</param>
/// <param name="ConfirmedAt">When the reader last said something about it.</param>
public sealed record ReaderReceipt(
    string Service,
    string Instance,
    string Node,
    string State,
    long Revision,
    string? Release = null,
    string? Error = null,
    long? HasRevision = null,
    string? HasRelease = null,
    DateTimeOffset? SentAt = null,
    DateTimeOffset? ConfirmedAt = null);

/// <summary>
/// Readers have said something of a setting, or were sent it; server-sent event <c>receipt</c> of <c>/events</c>. Ask
/// for its receipts.
/// </summary>
public sealed record ReceiptEvent(string Namespace, string Group, string DataId);

/// <summary>Who reads settings of a namespace, over all nodes.</summary>
public sealed record ReaderList(IReadOnlyList<ReaderDocument> Items);

/// <summary>One reader of settings.</summary>
/// <param name="Groups">The groups that it asked for; empty: all of the namespace.</param>
/// <param name="Labels">As it stated them.</param>
/// <param name="SendsReceipts">True: it says what becomes of what it is sent.</param>
/// <param name="Live">False: silent for ten minutes and not registered; it is no longer waited for.</param>
/// <param name="Node">The node that it was last seen at.</param>
/// <param name="Keys">Configuration keys that it has really read, by setting.</param>
public sealed record ReaderDocument(
    string Service,
    string Instance,
    IReadOnlyList<string> Groups,
    IReadOnlyDictionary<string, string> Labels,
    bool SendsReceipts,
    bool Live,
    DateTimeOffset LastSeen,
    string Node,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Keys);

/// <summary>How often the flags of a namespace answered with which variant, by service.</summary>
public sealed record FlagExposureList(IReadOnlyList<FlagExposureCount> Items);

/// <summary>One sum over all instances of a service.</summary>
public sealed record FlagExposureCount(
    string Flag, string Variant, string Service, long Count, DateTimeOffset LastAt);

/// <summary>Body of <c>POST /settings/{namespace}/blast-radius</c>: a publication that is planned.</summary>
/// <param name="Setting"><c>group/dataId</c>; it need not exist yet.</param>
/// <param name="Keys">Configuration keys that would change; null: any.</param>
/// <param name="To">The receivers of a gray release that is planned; null: everybody who is in no other.</param>
/// <param name="Release">Its name, which decides who is in the percentage.</param>
/// <param name="Content">The text that is planned, instead of <paramref name="Keys"/>: those are asked for that it
/// changes in the text in force.</param>
public sealed record BlastRadiusRequest(
    string Setting, IReadOnlyList<string>? Keys = null, GrayReceivers? To = null, string? Release = null,
    string? Content = null);

/// <summary>Whom a publication would reach.</summary>
/// <param name="Services">In order of name.</param>
/// <param name="Readers">In order of service and instance.</param>
/// <param name="Receivers">How many of the readers would get it.</param>
/// <param name="Changed">Configuration keys that the planned text changes; null when none was given, it has no keys,
/// too many change, or it is a secret that the caller may not read.</param>
public sealed record BlastRadius(
    string Setting, int Receivers, IReadOnlyList<BlastService> Services, IReadOnlyList<BlastReader> Readers,
    IReadOnlyList<string>? Changed = null);

/// <summary>What a publication would do to one service.</summary>
public sealed record BlastService(string Service, int Instances, int Receivers, IReadOnlyList<string> Keys);

/// <summary>What a publication would do to one reader.</summary>
/// <param name="Receives">True: it would be sent the new text.</param>
/// <param name="Release">The gray release that it has now.</param>
/// <param name="Keys">Which of the keys it has really read; all that it has read when none were asked for.</param>
public sealed record BlastReader(
    string Service,
    string Instance,
    bool Receives,
    bool Live,
    DateTimeOffset LastSeen,
    IReadOnlyList<string> Keys,
    string? Release = null);
