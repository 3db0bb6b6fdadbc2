using Groundwork.Communication.Gateway.Steps;

namespace Groundwork.Communication.Gateway.Exchanges;

/// <summary>Something that was decided about a request, to be told when somebody asks.</summary>
/// <param name="What">In a word or two that are the same each time, such as <c>allowed</c>.</param>
/// <param name="About">Whom or what it is about, such as an instance; null: nothing more to say. Only made into text
/// when somebody asks.</param>
/// <param name="At">Ticks of the clock since the request began.</param>
internal readonly record struct Decision(Stage Stage, string What, object? About, long At);
