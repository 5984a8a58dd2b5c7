// Every word of the page, in each of its languages.

import de from "./words/de.js";
import en from "./words/en.js";
import fr from "./words/fr.js";

export const WORDS = { en, fr, de };
