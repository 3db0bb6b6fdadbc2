using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Groundwork.Communication.Gateway.Content.Compression;

namespace Groundwork.Communication.Gateway;

/// <summary>Has the answers of a route compressed for clients that take it.</summary>
public sealed record CompressSpec(
    [Description("br and gzip, the one that goes first where a client takes both alike; both, br first, when not "
        + "given.")]
    [Length(1, 2)]
    IReadOnlyList<string>? Algorithms = null,
    [Description("Media types, such as application/json or text/*; text and what is written as text when not given. "
        + "text/event-stream only where it stands here.")]
    [Length(1, CompressionRules.MaxTypes)]
    IReadOnlyList<string>? Types = null,
    [Description("Bytes below which an answer is left alone, where its length is known; 0 to 1,048,576.")]
    [Range(0, CompressionRules.MaxLeastBytes)]
    int MinBytes = 1024,
    [Description("How hard to try: 1 (fast) to 9 (small).")]
    [Range(1, 9)]
    int Level = 4,
    [Description(
        "True: also answers to requests with cookies or Authorization, and those that set cookies. What is secret in "
        + "them can then be guessed from their length by who can have text of his own put beside it.")]
    bool WithCredentials = false);
